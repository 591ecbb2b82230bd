import { pauseMs } from './projector.js';

it('rests for as long as a turn took, or as long as the machine is to be left to others', () => {
  expect(pauseMs(20, 5n, () => 0)).toBe(20);
  expect(pauseMs(20, 50_000n, (tookMs) => 9 * tookMs)).toBe(180);
});

it('does not leave the machine to others while it is far behind', () => {
  expect(pauseMs(20, 50_001n, (tookMs) => 9 * tookMs)).toBe(20);
});
