/** How often each reader may ask: so much at once, and so much comes back each second. */

/** Requests at once, and how many come back each second. */
const BURST = 200;
const PER_SECOND = 50;

export interface Allowance {
  ok: boolean;
  /** Requests that may follow at once. */
  left: number;
  /** Until all of the burst is back. */
  fullInS: number;
}

export class Budgets {
  /** Of known readers only, so the catalogue bounds it. */
  readonly #budgets = new Map<string, { left: number; atMs: number }>();

  spend(reader: string, nowMs: number): Allowance {
    const budget = this.#budgets.get(reader) ?? { left: BURST, atMs: nowMs };
    const back = (Math.max(0, nowMs - budget.atMs) / 1_000) * PER_SECOND;
    const left = Math.min(BURST, budget.left + back) - 1;
    const kept = Math.max(0, left);
    this.#budgets.set(reader, { left: kept, atMs: nowMs });
    return { ok: left >= 0, left: Math.floor(kept), fullInS: Math.ceil((BURST - kept) / PER_SECOND) };
  }
}

/** As in draft-ietf-httpapi-ratelimit-headers-10: a quota in a window of seconds, and what is left of it. */
export const rateLimitHeaders = ({ left, fullInS }: Allowance): Record<string, string> => ({
  'RateLimit-Policy': `"reads";q=${BURST};w=${BURST / PER_SECOND}`,
  RateLimit: `"reads";r=${left};t=${fullInS}`,
});
