import { ReplayCache } from './replay-cache.js';

const JKT = 'k'.repeat(43);

it('takes a proof once', () => {
  const cache = new ReplayCache();
  expect(cache.take(JKT, 'a', 60_000, 0)).toBe('new');
  expect(cache.take(JKT, 'a', 60_000, 1)).toBe('replayed');
  // Another time of making does not make it another one.
  expect(cache.take(JKT, 'a', 90_000, 2)).toBe('replayed');
});

it('takes the same id of another key, and another id of the same', () => {
  const cache = new ReplayCache();
  cache.take(JKT, 'a', 60_000, 0);
  expect(cache.take('l'.repeat(43), 'a', 60_000, 0)).toBe('new');
  expect(cache.take(JKT, 'b', 60_000, 0)).toBe('new');
});

it('remembers it for as long as it could pass, and not much longer', () => {
  const cache = new ReplayCache();
  cache.take(JKT, 'a', 60_000, 0);
  expect(cache.take(JKT, 'a', 60_000, 60_000)).toBe('replayed');
  cache.take(JKT, 'b', 130_000, 70_000);
  expect(cache.size).toBe(1);
});

it('takes no more when it is full of what could still pass', () => {
  const cache = new ReplayCache(2);
  cache.take(JKT, 'a', 60_000, 0);
  cache.take(JKT, 'b', 60_000, 0);
  expect(cache.take(JKT, 'c', 60_000, 0)).toBe('full');
  expect(cache.take(JKT, 'a', 60_000, 0)).toBe('replayed');
  expect(cache.take(JKT, 'c', 130_000, 70_000)).toBe('new');
});
