/** A token of ours that somebody presents, whoever it is for. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readAccessToken, verifyAccessToken, type AccessTokenClaims } from '#tokens/access-token.js';
import type { TokenKeys } from '../../tokens/token-keys.js';

type Keys = Pick<TokenKeys, 'jwks' | 'issuer'>;

export interface KnownToken {
  claims: AccessTokenClaims;
  kid: string;
}

export class KnownTokens {
  #of: Keys['jwks'] = [];
  #byKid: ReadonlyMap<string, KeyObject> = new Map();

  constructor(private readonly keys: Keys) {}

  /** @returns undefined for what is not ours, is not valid at this moment, or does not verify. */
  know(token: string, nowMs: number): KnownToken | undefined {
    const reading = readAccessToken(token);
    if (!reading.ok) return undefined;
    const verified = verifyAccessToken(token, {
      keyOf: (kid) => this.#keyOf(kid),
      issuer: this.keys.issuer,
      audience: reading.claims.aud,
      nowMs,
    });
    return verified.ok ? { claims: verified.claims, kid: reading.kid } : undefined;
  }

  #keyOf(kid: string): KeyObject | undefined {
    const { jwks } = this.keys;
    if (jwks !== this.#of) {
      this.#of = jwks;
      this.#byKid = new Map(
        jwks.map((jwk) => [jwk.kid, createPublicKey({ key: { ...jwk }, format: 'jwk' })]),
      );
    }
    return this.#byKid.get(kid);
  }
}
