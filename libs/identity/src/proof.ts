/**
 * Message proofs: a compact JWS, `typ: mayfly-proof+jwt`, by the sender's ephemeral key, over everything that makes a record what it
 * is. The SVID's audience names that key, so neither is of use without the other.
 */
import type { KeyObject } from 'node:crypto';
import { BoundedMap } from './bounded-map.js';
import { isObject, parseJson, sha256Hex } from './bytes.js';
import { importPublicJwk, readProofJwk, thumbprint, type EcPublicJwk, type OkpPublicJwk } from './jwk.js';
import { algorithmOf, readJws, verifyJws, type Jws, type JwsAlgorithm } from './jws.js';
import { refuse, type Checked, type Refused } from './refuse.js';

export const PROOF_TYP = 'mayfly-proof+jwt';
/** `EdDSA` is the older name of `Ed25519` (RFC 9864). */
export const PROOF_ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA'] as const satisfies JwsAlgorithm[];
/** The replay window: how far `iat` may be from the append time, either way. */
export const PROOF_WINDOW_MS = 60_000;

/** What the proof is over. Hashes in lower-case hex; `iat` in seconds. */
export interface ProofClaims {
  topic: string;
  key: string;
  ce_id: string;
  ce_type: string;
  value_sha256: string;
  svid_sha256: string;
  iat: number;
}

/** A proof as read: the signature has not been verified, and the key is the sender's claim. */
export interface Proof {
  jws: Jws;
  algorithm: (typeof PROOF_ALGORITHMS)[number];
  jwk: EcPublicJwk | OkpPublicJwk;
  /** RFC 7638, base64url. */
  keyThumbprint: string;
  claims: Record<string, unknown>;
}

const invalid = (reason: string) => refuse('ERR_PROOF_INVALID', reason);

/** The proof's form: type, an allowed algorithm, a public key that fits it, and claims. */
export function readProof(token: string): Checked<{ proof: Proof }> {
  const jws = readJws(token);
  if (jws === undefined) return invalid('the proof is no compact JWS');
  if (jws.header.typ !== PROOF_TYP) return invalid('the proof has another typ');
  const algorithm = algorithmOf(jws, PROOF_ALGORITHMS);
  if (algorithm === undefined) return invalid('the proof is signed with an algorithm that is not allowed');
  const jwk = readProofJwk(jws.header.jwk);
  if (jwk === undefined) return invalid('the proof carries no public key of the allowed kinds');
  if ((algorithm === 'ES256') !== (jwk.kty === 'EC'))
    return invalid('the algorithm of the proof does not fit its key');
  const payload = parseJson(jws.payload);
  if (!payload.ok || !isObject(payload.value)) return invalid('the proof has no claims');
  return { ok: true, proof: { jws, algorithm, jwk, keyThumbprint: thumbprint(jwk), claims: payload.value } };
}

/** What the record says of itself, to be compared with what the proof says of it. */
export interface ProvenRecord {
  topic: string;
  key: string;
  ceId: string;
  ceType: string;
  value: Buffer;
  svidSha256: string;
}

/**
 * Compares the proof's members with the record's, one by one, the dear ones last.
 * @returns the value's SHA-256, since it has been computed.
 */
export function matchProof(
  { claims }: Proof,
  record: ProvenRecord,
  appendedAtMs: number,
): Checked<{ valueSha256: string }> {
  const { iat } = claims;
  if (typeof iat !== 'number') return invalid('the proof does not say when it was made');
  if (!(Math.abs(appendedAtMs - iat * 1000) <= PROOF_WINDOW_MS))
    return refuse('ERR_PROOF_STALE', 'the proof was made more than 60 s from the time of arrival');
  if (claims.topic !== record.topic) return mismatch('topic');
  if (claims.key !== record.key) return mismatch('key');
  if (claims.ce_id !== record.ceId) return mismatch('ce_id');
  if (claims.ce_type !== record.ceType) return mismatch('ce_type');
  if (claims.svid_sha256 !== record.svidSha256) return mismatch('svid_sha256');
  const valueSha256 = sha256Hex(record.value);
  if (claims.value_sha256 !== valueSha256) return mismatch('value_sha256');
  return { ok: true, valueSha256 };
}

const mismatch = (member: keyof ProofClaims): Refused =>
  refuse('ERR_PROOF_MISMATCH', 'the proof is of another record', { member });

/** Checks the proofs' signatures, and remembers the imported keys: one agent proves many events with one key. */
export class ProofVerifier {
  readonly #keys: BoundedMap<string, KeyObject>;

  constructor(capacity = 4096) {
    this.#keys = new BoundedMap(capacity);
  }

  /** Call it once the SVID that names the key is authenticated, so that strangers cannot push keys out of the cache. */
  verify(proof: Proof): { ok: true } | Refused {
    const key = this.#keys.get(proof.keyThumbprint) ?? importPublicJwk(proof.jwk);
    if (key === undefined) return invalid('the key of the proof is not a point on its curve');
    this.#keys.set(proof.keyThumbprint, key);
    return verifyJws(proof.jws, key, proof.algorithm)
      ? { ok: true }
      : invalid('the signature of the proof does not verify');
  }
}
