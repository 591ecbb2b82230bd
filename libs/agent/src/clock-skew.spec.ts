import { clockSkewHint } from './clock-skew.js';

const NOW_MS = Date.parse('2026-11-24T19:00:00.000Z');
const at = (seconds: number) => new Date(NOW_MS + seconds * 1000).toUTCString();

it.each([
  ['ERR_PROOF_STALE', -75, "this machine's clock is 75 s ahead of the broker's"],
  ['ERR_DPOP_EARLY', -75, "this machine's clock is 75 s ahead of the broker's"],
  ['ERR_SVID_EXPIRED', 3_600, "this machine's clock is 3600 s behind the broker's"],
])('explains %s by clocks that differ', (code, theirs, hint) => {
  expect(clockSkewHint(code, at(theirs), NOW_MS)).toBe(hint);
});

it.each([
  ['clocks agree', 'ERR_PROOF_STALE', at(1)],
  ['time is not the trouble', 'ERR_TASK_ENDED', at(-75)],
])('says nothing where %s', (_when, code, date) => {
  expect(clockSkewHint(code, date, NOW_MS)).toBeUndefined();
});

it.each([null, 'yesterday'])('advises to compare the clocks where the time of the broker is %p', (date) => {
  expect(clockSkewHint('ERR_PROOF_STALE', date, NOW_MS)).toBe(
    "compare this machine's clock with the broker's",
  );
});
