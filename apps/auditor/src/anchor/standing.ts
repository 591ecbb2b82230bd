/** How one anchor stands: what it has, what it lacks since when, and when it is next tried. Pure. */
import { jittered, pacedMs } from '#events/backoff.js';
import { CONTRADICTS, type AnchorCode } from './anchor.js';

const PACE = { firstMs: 1_000, longestMs: 60_000 };
/** An unchanged head too is brought again: a cosignature says when it was the newest that its witness knew. */
const REPEAT_AFTER_MS = 3_600_000;
/** Shorter, and it may be a restart. */
const LATE_MS = 60_000;

export interface Standing {
  /** Note of the head that it has, and since when. */
  has?: { note: string; sinceMs: number };
  /** Since when it lacks the newest head, or a repetition. */
  lacksSinceMs?: number;
  /** Why the last attempt did not bring it there, and how many did not in a row. */
  code?: AnchorCode;
  failures: number;
  /** Before that it is not tried. */
  notBeforeMs: number;
}

export const UNTRIED: Standing = { failures: 0, notBeforeMs: 0 };

/** Sees the newest head. */
export function seeing(standing: Standing, note: string, nowMs: number): Standing {
  const { has, lacksSinceMs } = standing;
  const isFresh = has?.note === note && nowMs - has.sinceMs < REPEAT_AFTER_MS;
  return isFresh || lacksSinceMs !== undefined ? standing : { ...standing, lacksSinceMs: nowMs };
}

export const isDue = ({ lacksSinceMs, notBeforeMs }: Standing, nowMs: number): boolean =>
  lacksSinceMs !== undefined && nowMs >= notBeforeMs;

/** @param everyMs how often it is brought a head at most */
export const reached = (note: string, nowMs: number, everyMs: number): Standing => ({
  ...{ has: { note, sinceMs: nowMs }, failures: 0 },
  notBeforeMs: nowMs + everyMs,
});

/** @param random 0 to 1 */
export function missed(standing: Standing, code: AnchorCode, nowMs: number, random: number): Standing {
  const failures = standing.failures + 1;
  return { ...standing, code, failures, notBeforeMs: nowMs + jittered(pacedMs(failures, PACE), random) };
}

export const lacksForMs = ({ lacksSinceMs = Infinity }: Standing, nowMs: number): number =>
  Math.max(0, nowMs - lacksSinceMs);

export const isContradicted = ({ code }: Standing): boolean => code !== undefined && CONTRADICTS[code];

/** For readiness; undefined where all is well, or may soon be. */
export function remarkOf(standing: Standing, label: string, nowMs: number): string | undefined {
  const { code } = standing;
  if (code === undefined) return undefined;
  if (isContradicted(standing)) return `${label} contradicts the log: ${code}`;
  return lacksForMs(standing, nowMs) < LATE_MS ? undefined : `${label} lacks the newest heads: ${code}`;
}
