/**
 * How much one transaction takes on: all that there is room for, or, where an aim is set, little at first and twice as much as long as that is
 * quick, as a connection's window grows (RFC 5681 §3.1). What follows from a record, such as a thousand leases from an end, is not seen
 * before it is handled: only how long it took.
 */
const LEAST = 10;
const MOST = 100;

export class BatchRoom {
  #size: number;

  /** @param aimMs a batch that takes longer is followed by a smaller one; none: by one as large */
  constructor(private readonly aimMs: number | undefined) {
    this.#size = aimMs === undefined ? MOST : LEAST;
  }

  /** By the weight of its records. */
  get size(): number {
    return this.#size;
  }

  /** @param weight of its records @param isMore whether others wait that it had no room for */
  took(ms: number, weight: number, isMore: boolean): void {
    if (this.aimMs === undefined) return;
    if (ms > this.aimMs) this.#size = Math.max(LEAST, (this.#size * this.aimMs) / ms);
    else if (isMore && ms <= this.aimMs / 2) this.#size = Math.min(MOST, this.#size * 2);
    else if (!isMore && weight < this.#size / 2) this.#size = Math.max(LEAST, this.#size / 2);
  }
}
