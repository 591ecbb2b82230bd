import { jittered, pacedMs } from './backoff.js';

const pace = { firstMs: 1_000, longestMs: 60_000 };

it('doubles with each failure, up to the longest', () => {
  expect([1, 2, 3, 6, 7, 1_000].map((attempts) => pacedMs(attempts, pace))).toEqual([
    1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
  ]);
});

it('is spread by a quarter to either side', () => {
  expect([0, 0.5, 1].map((random) => jittered(1_000, random))).toEqual([750, 1_000, 1_250]);
});
