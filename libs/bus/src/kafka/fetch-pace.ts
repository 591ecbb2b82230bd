/**
 * How often a reader asks. A record that comes alone is fetched at once; where records keep coming each fetch waits a little and brings
 * more, as a network card holds back interrupts: what a fetch costs both sides does not depend on how much it brings.
 */
const A_SECOND = 40;
/** So many go by before any is held back: one thing and what follows from it, several times over. */
const AT_ONCE = 40;

export class FetchPace {
  #left = AT_ONCE;
  #atMs = -Infinity;

  /** After a fetch that brought something. @returns ms that the next one is to wait */
  waitMs(nowMs: number): number {
    this.#left = Math.min(AT_ONCE, this.#left + ((nowMs - this.#atMs) * A_SECOND) / 1_000) - 1;
    this.#atMs = nowMs;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1_000) / A_SECOND);
  }
}
