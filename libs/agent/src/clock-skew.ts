/** A guess at why a proof or a token counts as early or late: one of two clocks is wrong. Pure. */

/** Codes of refusals that a wrong clock here would explain. */
const OF_TIME: readonly string[] = [
  'ERR_PROOF_STALE',
  'ERR_SVID_EXPIRED',
  'ERR_DPOP_STALE',
  'ERR_DPOP_EARLY',
  'ERR_DEADLINE_PAST',
];
/** `Date` has whole seconds, and the answer was on its way. */
const NOTICEABLE_MS = 5_000;

/**
 * @param date the header `Date` of the broker's answer; null where there is none, as on the bus
 * @returns undefined where time is not the trouble
 */
export function clockSkewHint(code: string, date: string | null, nowMs: number): string | undefined {
  if (!OF_TIME.includes(code)) return undefined;
  const theirsMs = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(theirsMs)) return "compare this machine's clock with the broker's";
  const aheadMs = nowMs - theirsMs;
  if (Math.abs(aheadMs) < NOTICEABLE_MS) return undefined;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return `this machine's clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the broker's`;
}
