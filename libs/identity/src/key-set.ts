/** JWK Sets of issuers (RFC 7517 §5): keys of a kind nobody asked for are skipped; one that is wanted and wrong spoils the set. */
import type { KeyObject } from 'node:crypto';
import { isObject, parseJson } from './bytes.js';
import { IdentityError } from './errors.js';
import { hasPrivateMember, importPublicJwk } from './jwk.js';
import { fits, type JwsAlgorithm } from './jws.js';

export interface IssuerKey {
  kid: string;
  key: KeyObject;
  algorithms: readonly JwsAlgorithm[];
  /** When the key was first missing from its set. It still vouches for what was appended before. */
  retiredAtMs?: number;
}

export interface KeySetRules {
  /** Whether a key is meant for this purpose; the others are skipped, whatever they are. */
  wants: (jwk: Record<string, unknown>) => boolean;
  algorithms: readonly JwsAlgorithm[];
}

export const MAX_KEY_SET_BYTES = 1_048_576;
const MAX_KEYS = 64;
const MIN_RSA_BITS = 2048;
const KINDS: readonly unknown[] = ['EC', 'RSA', 'OKP'];

/**
 * @param location only for the error.
 * @throws IdentityError ERR_IDENTITY_BUNDLE_INVALID: no JWK Set, or a wanted key without or with a doubled `kid`, a private,
 * broken or weak one.
 */
export function readKeySet(
  bytes: Buffer,
  location: string,
  { wants, algorithms: allowed }: KeySetRules,
): { keys: IssuerKey[]; members: Record<string, unknown> } {
  const invalid = (message: string, fields: Record<string, string | number> = {}) =>
    new IdentityError('ERR_IDENTITY_BUNDLE_INVALID', message, { file: location, ...fields });
  if (bytes.length > MAX_KEY_SET_BYTES) throw invalid('the bundle is too large', { bytes: bytes.length });
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value) || !Array.isArray(parsed.value.keys))
    throw invalid('no JWK Set is there');
  const { keys: jwks, ...members } = parsed.value;
  if (jwks.length > MAX_KEYS) throw invalid('the bundle has too many keys', { keys: jwks.length });

  const keys: IssuerKey[] = [];
  for (const jwk of jwks as unknown[]) {
    if (!isObject(jwk)) throw invalid('a key is no JSON object');
    if (!wants(jwk)) continue;
    if (hasPrivateMember(jwk)) throw invalid('the bundle holds a private key');
    if (typeof jwk.kid !== 'string' || jwk.kid === '') throw invalid('a key has no key id');
    if (keys.some(({ kid }) => kid === jwk.kid)) throw invalid('a key id is given twice', { kid: jwk.kid });
    if (!KINDS.includes(jwk.kty)) continue;
    const key = importPublicJwk(jwk);
    if (key === undefined) throw invalid('a key is broken', { kid: jwk.kid });
    if ((key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS)
      throw invalid('an RSA key is shorter than 2,048 bits', { kid: jwk.kid });
    const algorithms = allowed.filter(
      (algorithm) => fits(key, algorithm) && (jwk.alg === undefined || jwk.alg === algorithm),
    );
    if (algorithms.length > 0) keys.push({ kid: jwk.kid, key, algorithms });
  }
  return { keys, members };
}
