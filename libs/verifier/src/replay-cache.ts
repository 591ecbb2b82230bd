/** DPoP proofs that were used, until they would be too old anyway. One process's: several behind one name each take a proof once. */

/** About 150 bytes each. At 60 s a proof, room for some 3,000 requests a second. */
export const MAX_PROOFS = 200_000;
const BUCKET_MS = 10_000;

export class ReplayCache {
  readonly #seen = new Set<string>();
  /** By when they end, so that they are taken out without a look at each. */
  readonly #buckets = new Map<number, string[]>();

  constructor(readonly capacity = MAX_PROOFS) {}

  /**
   * Takes a proof, once.
   * @param untilMs after it the proof is refused for its age
   * @returns `full` where nothing can be forgotten yet: to take it all the same would be to take it twice.
   */
  take(jkt: string, jti: string, untilMs: number, nowMs: number): 'new' | 'replayed' | 'full' {
    this.#forget(nowMs);
    // A thumbprint has 43 characters, so this is one text for one pair.
    const proof = `${jkt}${jti}`;
    if (this.#seen.has(proof)) return 'replayed';
    if (this.#seen.size >= this.capacity) return 'full';
    this.#seen.add(proof);
    const bucket = Math.floor(untilMs / BUCKET_MS);
    const others = this.#buckets.get(bucket);
    if (others === undefined) this.#buckets.set(bucket, [proof]);
    else others.push(proof);
    return 'new';
  }

  get size(): number {
    return this.#seen.size;
  }

  /** There are few buckets: a proof is taken for at most two minutes. */
  #forget(nowMs: number): void {
    for (const [bucket, proofs] of this.#buckets) {
      if ((bucket + 1) * BUCKET_MS > nowMs) continue;
      for (const proof of proofs) this.#seen.delete(proof);
      this.#buckets.delete(bucket);
    }
  }
}
