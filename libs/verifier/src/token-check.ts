/**
 * The token's own part of a check: that the issuer granted it to somebody, for this service, and that its time has not passed. One that
 * was verified is remembered by its whole text, because an agent brings it with each request of its short life.
 */
import type { KeyObject } from 'node:crypto';
import { BoundedMap } from '#identity/bounded-map.js';
import { verifyAccessToken } from '#tokens/access-token.js';
import type { TokenKeys } from './issuer-keys.js';
import type { VerifiedToken } from './life.js';
import { no, type Step } from './refusal.js';

/** At most 8 MB of text. Only what the issuer signed gets in, so strangers push nothing out. */
const MAX_TOKENS = 1_000;

export class TokenCheck {
  readonly #keys: TokenKeys;
  readonly #issuer: string;
  readonly #audience: string;
  readonly #verified = new BoundedMap<string, VerifiedToken & { key: KeyObject }>(MAX_TOKENS);

  constructor({ keys, issuer, audience }: { keys: TokenKeys; issuer: string; audience: string }) {
    this.#keys = keys;
    this.#issuer = issuer;
    this.#audience = audience;
  }

  async verify(token: string, nowMs: number): Promise<Step<VerifiedToken>> {
    const known = this.#verified.get(token);
    // The key that verified it must still be the issuer's: one that was withdrawn takes its tokens along.
    if (known !== undefined && nowMs < known.claims.exp * 1000 && this.#keys.keyOf(known.kid) === known.key)
      return { ok: true, claims: known.claims, kid: known.kid };
    let result = this.#verify(token, nowMs);
    if (!result.ok && result.code === 'ERR_TOKEN_KEY_UNKNOWN')
      // It may be new: a key is published before it signs, and our copy may be older than that.
      if (await this.#keys.seek(result.kid, nowMs)) result = this.#verify(token, nowMs);
    if (result.ok) return result;
    return result.code === 'ERR_TOKEN_KEY_UNKNOWN' && this.#keys.isStale(nowMs)
      ? no('ERR_KEYS_STALE', 'the keys of the issuer are too old to be relied on')
      : no(result.code, result.reason);
  }

  #verify(token: string, nowMs: number) {
    let kid = '';
    let key: KeyObject | undefined;
    const keyOf = (name: string) => (key = this.#keys.keyOf((kid = name)));
    const result = verifyAccessToken(token, {
      keyOf,
      issuer: this.#issuer,
      audience: this.#audience,
      nowMs,
    });
    if (!result.ok) return { ...no(result.refusal.code, result.refusal.reason), kid };
    const { claims } = result;
    if (key !== undefined) this.#verified.set(token, { claims, kid, key });
    return { ok: true as const, claims, kid };
  }
}
