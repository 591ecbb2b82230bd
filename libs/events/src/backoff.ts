/** How long to wait after a failed attempt, and when to say that there are failures. Pure. */

/** What a target refused once is tried again soon; what half a minute did not help is tried for ever, every five. */
const OF_TARGETS = { firstMs: 50, longestMs: 30_000 };
const PATIENT_FROM = 12;
const PATIENT_MS = 300_000;
const FIRST_REPORT = 3;

export interface Pace {
  firstMs: number;
  longestMs: number;
}

/** @param attempts that failed so far, at least 1. Doubles, up to the longest. */
export const pacedMs = (attempts: number, { firstMs, longestMs }: Pace): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(Math.max(attempts - 1, 0), 16));

/** As `pacedMs`, for the access of one lease at its target. */
export const backoffMs = (attempts: number): number =>
  attempts < PATIENT_FROM ? pacedMs(attempts, OF_TARGETS) : PATIENT_MS;

/**
 * About as long, so that those who failed together do not come back together.
 * @param random 0 to 1
 */
export const jittered = (ms: number, random: number): number => Math.round(ms * (0.75 + random / 2));

/** 0 to 1, always the same for one id. Requires a UUIDv7: its last 32 bits are random. */
export const randomOf = (id: string): number => Number.parseInt(id.slice(-8), 16) / 2 ** 32;

/** True at the third failed attempt and each time their number has doubled since. */
export const reportsUnproven = (attempts: number): boolean =>
  attempts >= FIRST_REPORT &&
  attempts % FIRST_REPORT === 0 &&
  Number.isInteger(Math.log2(attempts / FIRST_REPORT));
