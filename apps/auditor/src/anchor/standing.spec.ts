import { isDue, missed, reached, remarkOf, seeing, UNTRIED, type Standing } from './standing.js';

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Half way: as long as it is. */
const EVEN = 0.5;

it('is due with the first head that it sees', () => {
  expect(isDue(UNTRIED, 0)).toBe(false);
  expect(isDue(seeing(UNTRIED, 'a', 0), 0)).toBe(true);
});

it('is brought a new head at once after a rest, and else at its pace', () => {
  const rested = reached('a', 0, EVERY_MS);
  expect(isDue(seeing(rested, 'b', 60_000), 60_000)).toBe(true);
  const busy = seeing(rested, 'b', 1_000);
  expect([isDue(busy, 9_999), isDue(busy, EVERY_MS)]).toEqual([false, true]);
});

it('is brought an unchanged head again after an hour, not before', () => {
  const has = reached('a', 0, EVERY_MS);
  expect(isDue(seeing(has, 'a', HOUR_MS - 1), HOUR_MS - 1)).toBe(false);
  expect(isDue(seeing(has, 'a', HOUR_MS), HOUR_MS)).toBe(true);
});

it('is tried again after a second, then ever more seldom, at least each minute', () => {
  let standing: Standing = seeing(UNTRIED, 'a', 0);
  const waits = Array.from({ length: 9 }, () => {
    standing = missed(standing, 'ERR_ANCHOR_AWAY', 0, EVEN);
    return standing.notBeforeMs;
  });
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(isDue(standing, 59_999)).toBe(false);
  expect(isDue(standing, 60_000)).toBe(true);
});

it('is remarked on once it has lacked heads for a minute, and no more once it has them', () => {
  const away = missed(seeing(UNTRIED, 'a', 0), 'ERR_ANCHOR_AWAY', 0, EVEN);
  expect(remarkOf(away, 'witness north', 59_999)).toBeUndefined();
  expect(remarkOf(seeing(away, 'b', 60_000), 'witness north', 60_000)).toBe(
    'witness north lacks the newest heads: ERR_ANCHOR_AWAY',
  );
  expect(remarkOf(reached('b', 61_000, EVERY_MS), 'witness north', 200_000)).toBeUndefined();
});

it.each(['ERR_ANCHOR_AHEAD', 'ERR_ANCHOR_CONTRADICTED'] as const)(
  'is remarked on at once where it has another history: %s',
  (code) => {
    const refuses = missed(seeing(UNTRIED, 'a', 0), code, 0, EVEN);
    expect(remarkOf(refuses, 'files', 0)).toBe(`files contradicts the log: ${code}`);
  },
);
