/**
 * SPIFFE bundles (spiffe/spiffe, SPIFFE_Trust_Domain_and_Bundle.md §4): a JWK Set whose keys say `use: jwt-svid`, which is why a
 * JOSE library, that looks for `sig`, finds none. Pure: bytes in, keys or an IdentityError out.
 */
import type { KeyObject } from 'node:crypto';
import { isObject, parseJson } from './bytes.js';
import { IdentityError } from './errors.js';
import { hasPrivateMember, importPublicJwk } from './jwk.js';
import { fits, type JwsAlgorithm } from './jws.js';

/** What JWT-SVID.md §2.1 allows. EdDSA is not among them. */
export const SVID_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
] as const satisfies JwsAlgorithm[];
export type SvidAlgorithm = (typeof SVID_ALGORITHMS)[number];

export interface BundleKey {
  kid: string;
  key: KeyObject;
  algorithms: readonly SvidAlgorithm[];
  /** When the key was first missing from its bundle. It still vouches for what was appended before. */
  retiredAtMs?: number;
}

export interface Bundle {
  /** Empty: the trust domain has revoked everything. */
  keys: readonly BundleKey[];
  /** Grows with every change; a bundle whose number is lower is an old one. */
  sequence?: bigint;
  /** How often to look for a new bundle. */
  refreshHintMs: number;
}

const MAX_BUNDLE_BYTES = 1_048_576;
const MAX_KEYS = 64;
const MIN_RSA_BITS = 2048;
/** Without a hint the SPIFFE specification suggests five minutes. */
const DEFAULT_REFRESH_MS = 300_000;

/**
 * @param file only for the error.
 * @throws IdentityError ERR_IDENTITY_BUNDLE_INVALID: no JWK Set, a `jwt-svid` key without or with a doubled `kid`, a private,
 * broken or weak key. Keys of another `use` or of a kind no JWT-SVID is signed with are skipped (RFC 7517 §5).
 */
export function parseBundle(bytes: Buffer, file: string): Bundle {
  const invalid = (message: string, fields: Record<string, string | number> = {}) =>
    new IdentityError('ERR_IDENTITY_BUNDLE_INVALID', message, { file, ...fields });
  if (bytes.length > MAX_BUNDLE_BYTES) throw invalid('the bundle is too large', { bytes: bytes.length });
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value) || !Array.isArray(parsed.value.keys))
    throw invalid('the file holds no SPIFFE bundle');
  const { keys: jwks, spiffe_sequence: sequence, spiffe_refresh_hint: hintS } = parsed.value;
  if (sequence !== undefined && !(Number.isSafeInteger(sequence) && Number(sequence) >= 0))
    throw invalid('spiffe_sequence is not a whole number');
  if (hintS !== undefined && !(typeof hintS === 'number' && hintS > 0))
    throw invalid('spiffe_refresh_hint is not a number of seconds');
  if (jwks.length > MAX_KEYS) throw invalid('the bundle has too many keys', { keys: jwks.length });

  const keys: BundleKey[] = [];
  for (const jwk of jwks as unknown[]) {
    if (!isObject(jwk)) throw invalid('a key is no JSON object');
    if (jwk.use !== 'jwt-svid') continue;
    if (hasPrivateMember(jwk)) throw invalid('the bundle holds a private key');
    if (typeof jwk.kid !== 'string' || jwk.kid === '') throw invalid('a key has no key id');
    if (keys.some(({ kid }) => kid === jwk.kid)) throw invalid('a key id is given twice', { kid: jwk.kid });
    if (jwk.kty !== 'EC' && jwk.kty !== 'RSA') continue;
    const key = importPublicJwk(jwk);
    if (key === undefined) throw invalid('a key is broken', { kid: jwk.kid });
    if ((key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS)
      throw invalid('an RSA key is shorter than 2,048 bits', { kid: jwk.kid });
    const algorithms = SVID_ALGORITHMS.filter(
      (algorithm) => fits(key, algorithm) && (jwk.alg === undefined || jwk.alg === algorithm),
    );
    if (algorithms.length > 0) keys.push({ kid: jwk.kid, key, algorithms });
  }
  return {
    keys,
    ...(sequence !== undefined && { sequence: BigInt(sequence as number) }),
    refreshHintMs: hintS === undefined ? DEFAULT_REFRESH_MS : hintS * 1000,
  };
}
