import type { Bundle } from './bundle.js';
import { IdentityError } from './errors.js';
import type { JwsAlgorithm } from './jws.js';
import type { IssuerKey } from './key-set.js';

/** Records wait on their topic for at most its retention; a key that vouched for one is kept as long. */
export const RETIRED_KEY_RETENTION_MS = 7 * 86_400_000;

/** One issuer of identities, a SPIFFE trust domain or an OIDC issuer: its present keys, and the ones it has retired. */
export class TrustDomain {
  #bundle: Bundle;
  #retired: readonly IssuerKey[] = [];
  #expired = false;
  #wantedKid: string | undefined;

  constructor(
    /** The trust domain, or the `iss` of an OIDC issuer: a URL, which no trust domain is. */
    readonly name: string,
    /** Plain audience of tokens meant for us, such as `mayfly`. */
    readonly audience: string,
    readonly development: boolean,
    bundle: Bundle,
  ) {
    this.#bundle = bundle;
  }

  get refreshHintMs(): number {
    return this.#bundle.refreshHintMs;
  }

  /** A `kid` that a token named and the bundle did not have when last asked: perhaps the next one has it. */
  get wantedKid(): string | undefined {
    return this.#wantedKid;
  }

  /**
   * Takes a newer bundle. A key no longer in it is retired at `nowMs`: it stays good for what was appended before, so that a
   * consumer's lag refuses nobody. A bundle without keys is the exception: it revokes everything, at once.
   * @throws IdentityError ERR_IDENTITY_BUNDLE_STALE if `spiffe_sequence` goes back or is dropped; the old bundle stays.
   */
  replace(next: Bundle, nowMs: number): void {
    const { sequence } = this.#bundle;
    if (sequence !== undefined && (next.sequence === undefined || next.sequence < sequence))
      throw new IdentityError('ERR_IDENTITY_BUNDLE_STALE', 'the bundle is older than the one in use', {
        trustDomain: this.name,
        inUse: String(sequence),
        offered: String(next.sequence ?? 'none'),
      });
    const gone = (old: IssuerKey) => !next.keys.some((key) => isSameKey(key, old));
    const newlyRetired = this.#bundle.keys.filter(gone).map((key) => ({ ...key, retiredAtMs: nowMs }));
    const stillRetired = this.#retired.filter(
      (key) => gone(key) && nowMs - (key.retiredAtMs ?? nowMs) <= RETIRED_KEY_RETENTION_MS,
    );
    this.#retired = next.keys.length === 0 ? [] : [...stillRetired, ...newlyRetired];
    this.#bundle = next;
    this.#expired = false;
    this.#wantedKid = undefined;
  }

  /** No key vouches for anything until a bundle is taken again: what is known is too old to be believed. */
  expire(): void {
    this.#expired = true;
  }

  has(kid: string): boolean {
    return this.#bundle.keys.some((key) => key.kid === kid);
  }

  /** The keys that may have signed a token at `atMs`: with its `kid`, or, as SPIFFE lets a token have none, all of the algorithm. */
  keysFor(token: { kid?: string; algorithm: JwsAlgorithm }, atMs: number): IssuerKey[] {
    if (token.kid !== undefined && !this.has(token.kid)) this.#wantedKid = token.kid;
    if (this.#expired) return [];
    return [...this.#bundle.keys, ...this.#retired].filter(
      (key) =>
        (token.kid === undefined || key.kid === token.kid) &&
        key.algorithms.includes(token.algorithm) &&
        vouchesAt(key, atMs),
    );
  }
}

/** A retired key vouches only for what was there before it was retired. */
export const vouchesAt = ({ retiredAtMs }: IssuerKey, atMs: number) =>
  retiredAtMs === undefined || atMs <= retiredAtMs;

const isSameKey = (a: IssuerKey, b: IssuerKey) => a.kid === b.kid && a.key.equals(b.key);
