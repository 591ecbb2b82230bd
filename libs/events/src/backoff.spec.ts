import { backoffMs, jittered, pacedMs, randomOf } from './backoff.js';

const pace = { firstMs: 1_000, longestMs: 60_000 };

it('doubles with each failure, up to the longest', () => {
  expect([1, 2, 3, 6, 7, 1_000].map((attempts) => pacedMs(attempts, pace))).toEqual([
    1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
  ]);
});

it('is spread by a quarter to either side', () => {
  expect([0, 0.5, 1].map((random) => jittered(1_000, random))).toEqual([750, 1_000, 1_250]);
});

it('of a target goes from 50 ms to half a minute, and is then five minutes for ever', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1_000].map(backoffMs)).toEqual([
    50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 300_000, 300_000, 300_000,
  ]);
});

it('is spread by what is random in an id', () => {
  const ids = ['0192bbbb-0000-7000-8000-000000000000', '0192bbbb-0000-7000-8000-000080000000'];
  expect(ids.map(randomOf)).toEqual([0, 0.5]);
});
