import { Rests } from './rests.js';

const rests = ({ idleForMs = 0, share = 0.25 } = {}) => new Rests(() => idleForMs, { share: () => share });

it('does not rest where no lease has been on its way for a while', () => {
  expect(rests({ idleForMs: 250 }).afterEndsMs(10, 0)).toBe(0);
  expect(rests({ idleForMs: 250, share: 0.26 }).afterRequestsMs(10, 0)).toBe(0);
});

it('rests between one call and the next', () => {
  expect(rests({ idleForMs: 249 }).afterEndsMs(10, 0)).toBe(30);
});

it('rests longer than its work took, but not long', () => {
  expect(rests().afterEndsMs(10, 0)).toBe(30);
  expect(rests().afterEndsMs(90, 0)).toBe(200);
  expect(rests().afterRequestsMs(10, 0)).toBe(20);
});

it('goes on where what waits is late', () => {
  expect(rests().afterEndsMs(10, 5_000)).toBe(30);
  expect(rests().afterEndsMs(10, 5_001)).toBe(0);
  expect(rests().afterRequestsMs(10, 5_001)).toBe(0);
});

it('leaves requests for longer where the machine is full, as the revoker cuts meanwhile', () => {
  const full = rests({ share: 0.26 });

  expect(full.afterRequestsMs(10, 5_001)).toBe(90);
  expect(full.afterRequestsMs(200, 20_000)).toBe(1_000);
  expect(full.afterEndsMs(10, 5_001)).toBe(0);
});

it('rests less where they are late, before it does not rest at all', () => {
  const full = rests({ share: 0.26 });

  expect(full.afterRequestsMs(10, 20_001)).toBe(30);
  expect(full.afterRequestsMs(200, 60_000)).toBe(200);
  expect(full.afterRequestsMs(200, 60_001)).toBe(0);
});
