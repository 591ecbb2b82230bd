/**
 * Nonces of the server for DPoP (RFC 9449 §8), kept nowhere: each is an HMAC of the time window, so that all who share the key give and
 * take the same ones. A nonce shows that a proof was not made long before it was needed; that it is used once is the replay store's.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { IdentityError } from './errors.js';

const DEFAULT_WINDOW_MS = 120_000;
const MIN_KEY_BYTES = 32;

export class DpopNonces {
  readonly #key: Buffer;

  /**
   * @param key at least 32 random bytes, for nothing else; the same for all brokers that stand for one another.
   * @throws IdentityError ERR_IDENTITY_KEY_INVALID if it is shorter
   */
  constructor(
    key: Uint8Array,
    readonly windowMs = DEFAULT_WINDOW_MS,
  ) {
    if (key.length < MIN_KEY_BYTES)
      throw new IdentityError('ERR_IDENTITY_KEY_INVALID', 'the key of the nonces is shorter than 32 bytes', {
        bytes: key.length,
      });
    this.#key = Buffer.from(key);
  }

  /** What to send in `DPoP-Nonce`. */
  at(nowMs: number): string {
    return this.#of(this.#windowAt(nowMs));
  }

  /** True for the nonce of this window and of the one before: it is good for one to two windows. */
  accepts(nonce: string, nowMs: number): boolean {
    const window = this.#windowAt(nowMs);
    return [window, window - 1].some((each) => isSame(nonce, this.#of(each)));
  }

  #windowAt(nowMs: number): number {
    return Math.floor(nowMs / this.windowMs);
  }

  #of(window: number): string {
    return createHmac('sha256', this.#key).update(`mayfly-dpop-nonce:${window}`).digest('base64url');
  }
}

function isSame(given: string, ours: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === ours.length && timingSafeEqual(bytes, Buffer.from(ours));
}
