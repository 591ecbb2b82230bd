/** How long to wait after a failed attempt, and when to say that there are failures. Pure. */

const FIRST_MS = 100;
const LONGEST_MS = 5_000;
const FIRST_REPORT = 3;

/** @param attempts that failed so far, at least 1. Doubles, up to five seconds: a target that is back is noticed soon. */
export const backoffMs = (attempts: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(Math.max(attempts - 1, 0), 16));

/** True at the third failed attempt and each time their number has doubled since. */
export const reportsUnproven = (attempts: number): boolean =>
  attempts >= FIRST_REPORT &&
  attempts % FIRST_REPORT === 0 &&
  Number.isInteger(Math.log2(attempts / FIRST_REPORT));
