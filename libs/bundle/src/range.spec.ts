import { subtreesBetween } from './range.js';

const spans = (start: bigint, end: bigint) =>
  subtreesBetween(start, end).map(({ level, index }) => [
    index << BigInt(level),
    (index + 1n) << BigInt(level),
  ]);

it.each([
  [0n, 0n, []],
  [0n, 8n, [[0n, 8n]]],
  [
    0n,
    7n,
    [
      [0n, 4n],
      [4n, 6n],
      [6n, 7n],
    ],
  ],
  [
    3n,
    8n,
    [
      [3n, 4n],
      [4n, 8n],
    ],
  ],
  [
    3n,
    21n,
    [
      [3n, 4n],
      [4n, 8n],
      [8n, 16n],
      [16n, 20n],
      [20n, 21n],
    ],
  ],
])('cuts %s to %s into the largest perfect subtrees', (start, end, expected) => {
  expect(spans(start, end)).toEqual(expected);
});

it('leaves no gap, and needs few, beyond 2^32 as well', () => {
  const [start, end] = [2n ** 40n + 12_345n, 2n ** 52n - 1n];
  const found = spans(start, end);
  expect(found[0]?.[0]).toBe(start);
  expect(found.at(-1)?.[1]).toBe(end);
  expect(found.every(([from], i) => i === 0 || from === found[i - 1]?.[1])).toBe(true);
  expect(found.length).toBeLessThan(126);
});
