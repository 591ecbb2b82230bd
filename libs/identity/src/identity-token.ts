/** What a sender's token says, whichever kind it is. Reading proves nothing; `TokenVerifier.authenticate` does. */
import { BoundedMap } from './bounded-map.js';
import { isObject, parseJson } from './bytes.js';
import { readJws, verifyJws, type Jws, type JwsAlgorithm } from './jws.js';
import type { IssuerKey } from './key-set.js';
import { refuse, type Checked, type Refused } from './refuse.js';
import { vouchesAt, type TrustDomain } from './trust-domain.js';

/** A token as read: no claim has been verified. */
export interface IdentityToken {
  /** Over the token's ASCII, lower-case hex. */
  sha256: string;
  /** Who it is here: the SPIFFE id of an SVID, or the one that an OIDC token's claims are mapped to. */
  subject: string;
  /** Whose keys must have signed it: name of a `TrustDomain`. */
  issuer: string;
  audiences: readonly string[];
  issuedAtMs: number;
  notBeforeMs: number;
  expiresAtMs: number;
  kid?: string;
  algorithm: JwsAlgorithm;
  jws: Jws;
}

export interface TokenParts {
  token: string;
  jws: Jws;
  claims: Record<string, unknown>;
}

const LEEWAY_MS = 2000;
const MAX_LIFETIME_S = 86_400;

const invalid = (reason: string) => refuse('ERR_SVID_INVALID', reason);

/** A compact JWS with claims, of whatever kind. */
export function readTokenParts(token: string): Checked<{ parts: TokenParts }> {
  const jws = readJws(token);
  if (jws === undefined) return invalid('the SVID is no compact JWS');
  const payload = parseJson(jws.payload);
  if (!payload.ok || !isObject(payload.value)) return invalid('the SVID has no claims');
  return { ok: true, parts: { token, jws, claims: payload.value } };
}

/** For whom and when the token is good; at most 24 h in all. */
export function readValidity({
  aud,
  exp,
  iat,
  nbf,
}: Record<string, unknown>): Checked<
  Pick<IdentityToken, 'audiences' | 'issuedAtMs' | 'notBeforeMs' | 'expiresAtMs'>
> {
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((audience) => typeof audience === 'string'))
    return invalid('the SVID has a malformed audience');
  if (!isSeconds(exp) || !isSeconds(iat) || (nbf !== undefined && !isSeconds(nbf)))
    return invalid('the SVID does not say from when until when it is valid');
  if (exp < iat || exp - iat > MAX_LIFETIME_S) return invalid('the SVID is valid for more than 24 h');
  return {
    ok: true,
    audiences,
    issuedAtMs: iat * 1000,
    notBeforeMs: (nbf ?? iat) * 1000,
    expiresAtMs: exp * 1000,
  };
}

const isSeconds = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1e11;

/** With two audiences, one of them could present the token to the other as its own: exactly one, and this one. */
export const isOnlyFor = ({ audiences }: IdentityToken, audience: string) =>
  audiences.length === 1 && audiences[0] === audience;

export const isExpired = ({ expiresAtMs }: IdentityToken, atMs: number) => atMs > expiresAtMs + LEEWAY_MS;

/** Not yet valid: a clock that is ahead by more than the leeway, or a token for later. */
export const isEarly = ({ issuedAtMs, notBeforeMs }: IdentityToken, atMs: number) =>
  atMs < Math.max(issuedAtMs, notBeforeMs) - LEEWAY_MS;

const untrusted = (reason: string) => refuse('ERR_SVID_UNTRUSTED', reason);

/** Checks signatures against the issuers' keys, and remembers the good ones: a workload sends one token with many events. */
export class TokenVerifier {
  readonly #verified: BoundedMap<string, IssuerKey>;

  constructor(capacity = 4096) {
    this.#verified = new BoundedMap(capacity);
  }

  /**
   * True identity: after `ok`, the issuer has signed these claims with a key that vouches at `atMs`.
   * Time and audience are for the caller. An expired token is judged by the keys of the time when it was good.
   */
  authenticate(token: IdentityToken, domain: TrustDomain, atMs: number): { ok: true } | Refused {
    if (domain.name !== token.issuer) return untrusted('the SVID is of another trust domain');
    const vouchedAtMs = Math.min(atMs, token.expiresAtMs);
    const known = this.#verified.get(token.sha256);
    if (known !== undefined && vouchesAt(known, vouchedAtMs)) return { ok: true };
    const candidates = domain.keysFor(token, vouchedAtMs);
    if (candidates.length === 0) return untrusted('no key of the trust domain could have signed the SVID');
    const key = candidates.find((candidate) => verifyJws(token.jws, candidate.key, token.algorithm));
    if (key === undefined) return invalid('the signature of the SVID does not verify');
    this.#verified.set(token.sha256, key);
    return { ok: true };
  }

  /** What was verified by old keys must be verified again: call it when a bundle changes. */
  forget(): void {
    this.#verified.clear();
  }
}
