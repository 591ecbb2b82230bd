/**
 * JWT-SVIDs (spiffe/spiffe, JWT-SVID.md): who a workload is, said by its trust domain.
 * Reading proves nothing; `SvidVerifier.authenticate` does.
 */
import { BoundedMap } from './bounded-map.js';
import { SVID_ALGORITHMS, type BundleKey, type SvidAlgorithm } from './bundle.js';
import { isObject, parseJson, sha256Hex } from './bytes.js';
import { algorithmOf, readJws, verifyJws, type Jws } from './jws.js';
import { refuse, type Checked, type Refused } from './refuse.js';
import { trustDomainOf } from './spiffe-id.js';
import { vouchesAt, type TrustDomain } from './trust-domain.js';

/** A token as read: no claim has been verified. */
export interface Svid {
  /** Over the token's ASCII, lower-case hex. */
  sha256: string;
  /** SPIFFE id. */
  subject: string;
  trustDomain: string;
  audiences: readonly string[];
  issuedAtMs: number;
  notBeforeMs: number;
  expiresAtMs: number;
  kid?: string;
  algorithm: SvidAlgorithm;
  jws: Jws;
}

const LEEWAY_MS = 2000;
const MAX_LIFETIME_S = 86_400;
const HEADER_MEMBERS = ['alg', 'kid', 'typ'];

const invalid = (reason: string) => refuse('ERR_SVID_INVALID', reason);

/** The form that JWT-SVID.md §2 and §3 ask for, a whole lifetime of at most 24 h, and a SPIFFE id as subject. */
export function readSvid(token: string): Checked<{ svid: Svid }> {
  const jws = readJws(token);
  if (jws === undefined) return invalid('the SVID is no compact JWS');
  const algorithm = algorithmOf(jws, SVID_ALGORITHMS);
  if (algorithm === undefined) return invalid('the SVID is signed with an algorithm SPIFFE does not allow');
  const { kid, typ } = jws.header;
  if (Object.keys(jws.header).some((member) => !HEADER_MEMBERS.includes(member)))
    return invalid('the SVID has a header parameter SPIFFE does not allow');
  if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE') return invalid('the SVID has another typ');
  if (kid !== undefined && typeof kid !== 'string') return invalid('the SVID has a malformed key id');

  const payload = parseJson(jws.payload);
  if (!payload.ok || !isObject(payload.value)) return invalid('the SVID has no claims');
  const { sub, aud, exp, iat, nbf } = payload.value;
  const trustDomain = typeof sub === 'string' ? trustDomainOf(sub) : undefined;
  if (typeof sub !== 'string' || trustDomain === undefined)
    return invalid('the subject of the SVID is no SPIFFE id');
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((audience) => typeof audience === 'string'))
    return invalid('the SVID has a malformed audience');
  if (!isSeconds(exp) || !isSeconds(iat) || (nbf !== undefined && !isSeconds(nbf)))
    return invalid('the SVID does not say from when until when it is valid');
  if (exp < iat || exp - iat > MAX_LIFETIME_S) return invalid('the SVID is valid for more than 24 h');
  return {
    ok: true,
    svid: {
      sha256: sha256Hex(token),
      subject: sub,
      trustDomain,
      audiences,
      issuedAtMs: iat * 1000,
      notBeforeMs: (nbf ?? iat) * 1000,
      expiresAtMs: exp * 1000,
      ...(kid !== undefined && { kid }),
      algorithm,
      jws,
    },
  };
}

const isSeconds = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1e11;

/** With two audiences, one of them could present the token to the other as its own: exactly one, and this one. */
export const isOnlyFor = ({ audiences }: Svid, audience: string) =>
  audiences.length === 1 && audiences[0] === audience;

/** The audience of a token that is good only together with one key (RFC 7638 thumbprint, base64url). */
export const boundAudience = (audience: string, proofKeyThumbprint: string) =>
  `${audience}:jkt:${proofKeyThumbprint}`;

export const isExpired = ({ expiresAtMs }: Svid, atMs: number) => atMs > expiresAtMs + LEEWAY_MS;

/** Not yet valid: a clock that is ahead by more than the leeway, or a token for later. */
export const isEarly = ({ issuedAtMs, notBeforeMs }: Svid, atMs: number) =>
  atMs < Math.max(issuedAtMs, notBeforeMs) - LEEWAY_MS;

const untrusted = (reason: string) => refuse('ERR_SVID_UNTRUSTED', reason);

/** Checks signatures against the bundles, and remembers the good ones: a workload sends one SVID with many events. */
export class SvidVerifier {
  readonly #verified: BoundedMap<string, BundleKey>;

  constructor(capacity = 4096) {
    this.#verified = new BoundedMap(capacity);
  }

  /**
   * True identity: after `ok`, the subject's trust domain has signed these claims with a key that vouches at `atMs`.
   * Time and audience are for the caller. An expired token is judged by the keys of the time when it was good.
   */
  authenticate(svid: Svid, domain: TrustDomain, atMs: number): { ok: true } | Refused {
    if (domain.name !== svid.trustDomain) return untrusted('the SVID is of another trust domain');
    const vouchedAtMs = Math.min(atMs, svid.expiresAtMs);
    const known = this.#verified.get(svid.sha256);
    if (known !== undefined && vouchesAt(known, vouchedAtMs)) return { ok: true };
    const candidates = domain.keysFor(svid, vouchedAtMs);
    if (candidates.length === 0) return untrusted('no key of the trust domain could have signed the SVID');
    const key = candidates.find((candidate) => verifyJws(svid.jws, candidate.key, svid.algorithm));
    if (key === undefined) return invalid('the signature of the SVID does not verify');
    this.#verified.set(svid.sha256, key);
    return { ok: true };
  }

  /** What was verified by old keys must be verified again: call it when a bundle changes. */
  forget(): void {
    this.#verified.clear();
  }
}
