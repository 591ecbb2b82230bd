/**
 * How often a reader asks. A record that comes alone is fetched at once; where records keep coming each fetch waits a little and brings
 * more, as a network card holds back interrupts: what a fetch costs both sides does not depend on how much it brings.
 */
export class FetchPace {
  #left: number;
  #atMs = -Infinity;

  /** @param perSecond how many, where records keep coming. As many go by at first: one thing and what follows from it, several times over. */
  constructor(private readonly perSecond: number) {
    this.#left = perSecond;
  }

  /** After a fetch that brought something. @returns ms that the next one is to wait */
  waitMs(nowMs: number): number {
    this.#left = Math.min(this.perSecond, this.#left + ((nowMs - this.#atMs) * this.perSecond) / 1_000) - 1;
    this.#atMs = nowMs;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1_000) / this.perSecond);
  }
}
