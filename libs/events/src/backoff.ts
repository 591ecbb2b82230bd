/** How long to wait after a failed attempt, and when to say that there are failures. Pure. */

/** A target that is back is noticed soon. */
const OF_TARGETS = { firstMs: 100, longestMs: 5_000 };
const FIRST_REPORT = 3;

export interface Pace {
  firstMs: number;
  longestMs: number;
}

/** @param attempts that failed so far, at least 1. Doubles, up to the longest. */
export const pacedMs = (attempts: number, { firstMs, longestMs }: Pace): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(Math.max(attempts - 1, 0), 16));

/** As `pacedMs`, for targets. */
export const backoffMs = (attempts: number): number => pacedMs(attempts, OF_TARGETS);

/**
 * About as long, so that those who failed together do not come back together.
 * @param random 0 to 1
 */
export const jittered = (ms: number, random: number): number => Math.round(ms * (0.75 + random / 2));

/** True at the third failed attempt and each time their number has doubled since. */
export const reportsUnproven = (attempts: number): boolean =>
  attempts >= FIRST_REPORT &&
  attempts % FIRST_REPORT === 0 &&
  Number.isInteger(Math.log2(attempts / FIRST_REPORT));
