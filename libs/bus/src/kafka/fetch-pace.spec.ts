import { FetchPace } from './fetch-pace.js';

/** Fetches that each bring something, one every so often for so long. @returns what each had to wait, in ms */
function fetches(pace: FetchPace, { everyMs, forMs }: { everyMs: number; forMs: number }): number[] {
  const waits: number[] = [];
  for (let nowMs = 0; nowMs < forMs;) {
    const waitMs = pace.waitMs(nowMs);
    waits.push(waitMs);
    nowMs += Math.max(everyMs, waitMs);
  }
  return waits;
}

it('does not hold back what comes now and then', () => {
  expect(Math.max(...fetches(new FetchPace(40), { everyMs: 25, forMs: 60_000 }))).toBe(0);
});

it('lets a burst by', () => {
  expect(fetches(new FetchPace(40), { everyMs: 1, forMs: 40 })).toEqual(Array(40).fill(0));
});

it('asks forty times a second where records keep coming', () => {
  const waits = fetches(new FetchPace(40), { everyMs: 1, forMs: 60_000 });

  expect(waits.length).toBeLessThan(60 * 40 + 45);
  expect(Math.max(...waits)).toBeLessThanOrEqual(25);
});

it('is as quick as ever once it was quiet for a second', () => {
  const pace = new FetchPace(40);
  fetches(pace, { everyMs: 1, forMs: 10_000 });

  expect(pace.waitMs(11_100)).toBe(0);
});
