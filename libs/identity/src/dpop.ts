/**
 * DPoP proofs (RFC 9449): whoever sends this request holds the private key. Synchronous and without memory: that a proof is used once
 * is for the caller, who remembers (`jkt`, `jti`) until `iatMs` + `DPOP_WINDOW_MS`; so is comparing `jkt` with a token's `cnf.jkt`.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { isObject, parseJson } from './bytes.js';
import { normalHtu } from './htu.js';
import { hasPrivateMember, importPublicJwk, readProofJwk, thumbprint } from './jwk.js';
import { algorithmOf, readJws, verifyJws } from './jws.js';
import { PROOF_ALGORITHMS } from './proof.js';
import { refuse, type Checked, type Refused } from './refuse.js';

export const DPOP_TYP = 'dpop+jwt';
/** How far `iat` may be from now, either way. */
export const DPOP_WINDOW_MS = 60_000;
/** Longest proof that is looked at, in characters. */
export const MAX_DPOP_CHARS = 8192;
/** What a replay store can be made to keep; a UUID has 36. */
const MAX_JTI_CHARS = 128;
/** Header parameters that would name a second key, or where one is. */
const OTHER_KEYS = ['jku', 'x5u', 'x5c'] as const;

/** What is wrong with a proof. Each is `invalid_dpop_proof` to a client, but for `ERR_DPOP_NONCE`: `use_dpop_nonce`. */
export const DPOP_CODES = [
  'ERR_DPOP_TOO_LARGE',
  'ERR_DPOP_MALFORMED',
  'ERR_DPOP_TYP',
  'ERR_DPOP_ALGORITHM',
  'ERR_DPOP_KEY',
  'ERR_DPOP_KEY_PRIVATE',
  'ERR_DPOP_JTI',
  'ERR_DPOP_METHOD',
  'ERR_DPOP_URL',
  'ERR_DPOP_STALE',
  'ERR_DPOP_EARLY',
  'ERR_DPOP_NONCE',
  'ERR_DPOP_TOKEN',
  'ERR_DPOP_SIGNATURE',
] as const;
export type DpopCode = (typeof DPOP_CODES)[number];

export interface DpopRequest {
  method: string;
  /** As the client knows it: behind a proxy, the public one. Query and fragment do not count. */
  url: string;
  /** At a resource: the token that came with the request. */
  accessToken?: string;
  /** Absent: no nonce is asked for, and one that is there is not looked at. */
  nonces?: { accepts(nonce: string, nowMs: number): boolean };
  /** A key that was imported before, by its thumbprint: to import one costs as much as to check what it signed. */
  knownKey?: (jkt: string) => KeyObject | undefined;
}

export interface DpopProof {
  /** RFC 7638 thumbprint of the key, base64url. */
  jkt: string;
  /** At most 128 visible ASCII characters. */
  jti: string;
  key: KeyObject;
  iatMs: number;
}

/**
 * All of RFC 9449 §4.3 that needs no memory, cheapest first.
 * @param proof the one `DPoP` header. Node joins several with commas, which no proof holds: they are malformed.
 */
export function verifyDpop(proof: string, request: DpopRequest, nowMs: number): Checked<DpopProof, DpopCode> {
  if (proof.length > MAX_DPOP_CHARS) return refuse('ERR_DPOP_TOO_LARGE', 'the proof is too long');
  const jws = readJws(proof);
  if (jws === undefined) return refuse('ERR_DPOP_MALFORMED', 'the proof is no compact JWS');
  const { header } = jws;
  if (header.typ !== DPOP_TYP) return refuse('ERR_DPOP_TYP', 'the proof has another typ');
  const algorithm = algorithmOf(jws, PROOF_ALGORITHMS);
  if (algorithm === undefined)
    return refuse('ERR_DPOP_ALGORITHM', 'the proof is signed with an algorithm that is not allowed');
  if (OTHER_KEYS.some((member) => Object.hasOwn(header, member)))
    return refuse('ERR_DPOP_KEY', 'the proof names another key than its jwk');
  if (isObject(header.jwk) && hasPrivateMember(header.jwk))
    return refuse('ERR_DPOP_KEY_PRIVATE', 'the proof gives a private or a shared key away');
  const jwk = readProofJwk(header.jwk);
  if (jwk === undefined)
    return refuse('ERR_DPOP_KEY', 'the proof carries no public key of the allowed kinds');
  if ((algorithm === 'ES256') !== (jwk.kty === 'EC'))
    return refuse('ERR_DPOP_ALGORITHM', 'the algorithm of the proof does not fit its key');

  const payload = parseJson(jws.payload);
  if (!payload.ok || !isObject(payload.value)) return refuse('ERR_DPOP_MALFORMED', 'the proof has no claims');
  const reading = readClaims(payload.value);
  if (!reading.ok) return reading;
  const wrong = mismatchOf(reading.claims, request, nowMs);
  if (wrong !== undefined) return wrong;

  const jkt = thumbprint(jwk);
  const key = request.knownKey?.(jkt) ?? importPublicJwk(jwk);
  if (key === undefined) return refuse('ERR_DPOP_KEY', 'the key of the proof is not a point on its curve');
  if (!verifyJws(jws, key, algorithm))
    return refuse('ERR_DPOP_SIGNATURE', 'the signature of the proof does not verify');
  const { jti, iat } = reading.claims;
  return { ok: true, jkt, jti, key, iatMs: iat * 1000 };
}

interface Claims {
  jti: string;
  htm: string;
  htu: string;
  iat: number;
  exp?: number;
  nbf?: number;
  nonce?: unknown;
  ath?: unknown;
}

function readClaims(claims: Record<string, unknown>): Checked<{ claims: Claims }, DpopCode> {
  const { jti, htm, htu, iat, exp, nbf, nonce, ath } = claims;
  if (typeof htm !== 'string' || typeof htu !== 'string' || typeof iat !== 'number')
    return refuse('ERR_DPOP_MALFORMED', 'the proof lacks a claim');
  if ((exp !== undefined && typeof exp !== 'number') || (nbf !== undefined && typeof nbf !== 'number'))
    return refuse('ERR_DPOP_MALFORMED', 'a time of the proof is no number');
  if (typeof jti !== 'string' || jti.length > MAX_JTI_CHARS || !/^[\x21-\x7e]+$/.test(jti))
    return refuse('ERR_DPOP_JTI', 'the id of the proof is missing, too long, or not visible ASCII');
  return {
    ok: true,
    claims: {
      jti,
      htm,
      htu,
      iat,
      ...(exp !== undefined && { exp }),
      ...(nbf !== undefined && { nbf }),
      nonce,
      ath,
    },
  };
}

/** The first thing in which the proof is not of this request, now. */
function mismatchOf(claims: Claims, request: DpopRequest, nowMs: number): Refused<DpopCode> | undefined {
  const { method, url, accessToken, nonces } = request;
  if (claims.htm !== method) return refuse('ERR_DPOP_METHOD', 'the proof is for another method');
  const htu = normalHtu(claims.htu);
  if (htu === undefined || htu !== normalHtu(url))
    return refuse('ERR_DPOP_URL', 'the proof is for another URL');
  const madeAtMs = claims.iat * 1000;
  // Written so that a time that is no number fails too.
  if (!(nowMs - madeAtMs <= DPOP_WINDOW_MS) || nowMs > (claims.exp ?? Infinity) * 1000)
    return refuse('ERR_DPOP_STALE', 'the proof was made more than 60 s ago, or has expired');
  if (!(madeAtMs - nowMs <= DPOP_WINDOW_MS) || (claims.nbf ?? 0) * 1000 - nowMs > DPOP_WINDOW_MS)
    return refuse('ERR_DPOP_EARLY', 'the proof is from more than 60 s ahead');
  if (nonces !== undefined && !(typeof claims.nonce === 'string' && nonces.accepts(claims.nonce, nowMs)))
    return refuse('ERR_DPOP_NONCE', 'the proof has no nonce that counts now');
  if (accessToken !== undefined && claims.ath !== accessTokenHash(accessToken))
    return refuse('ERR_DPOP_TOKEN', 'the proof is for another access token');
  return undefined;
}

/** `ath`: base64url of the SHA-256 of the token's ASCII. */
const accessTokenHash = (token: string) => createHash('sha256').update(token, 'latin1').digest('base64url');
