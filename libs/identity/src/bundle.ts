/**
 * What an issuer's keys come as. SPIFFE bundles (spiffe/spiffe, SPIFFE_Trust_Domain_and_Bundle.md §4): a JWK Set whose keys say
 * `use: jwt-svid`, which is why a JOSE library, that looks for `sig`, finds none. Pure: bytes in, keys or an IdentityError out.
 */
import { IdentityError } from './errors.js';
import type { JwsAlgorithm } from './jws.js';
import { readKeySet, type IssuerKey } from './key-set.js';

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
/** What an OIDC issuer may sign with, where its JWK Set has a key for it. */
export const OIDC_ALGORITHMS = [...SVID_ALGORITHMS, 'Ed25519', 'EdDSA'] as const satisfies JwsAlgorithm[];

export interface Bundle {
  /** Empty: the issuer has revoked everything. */
  keys: readonly IssuerKey[];
  /** Grows with every change; a bundle whose number is lower is an old one. */
  sequence?: bigint;
  /** How often to look for a new bundle. */
  refreshHintMs: number;
}

/** Without a hint the SPIFFE specification suggests five minutes; of a JWK Set it is half of the usual greatest age. */
const DEFAULT_REFRESH_MS = 300_000;

/**
 * @param location only for the error.
 * @param use `any`: the Workload API gives the same keys without their use.
 * @throws IdentityError ERR_IDENTITY_BUNDLE_INVALID
 */
export function parseBundle(bytes: Buffer, location: string, use: 'jwt-svid' | 'any' = 'jwt-svid'): Bundle {
  const { keys, members } = readKeySet(bytes, location, {
    wants: (jwk) => jwk.use === 'jwt-svid' || (use === 'any' && jwk.use === undefined),
    algorithms: SVID_ALGORITHMS,
  });
  const invalid = (message: string) =>
    new IdentityError('ERR_IDENTITY_BUNDLE_INVALID', message, { file: location });
  const { spiffe_sequence: sequence, spiffe_refresh_hint: hintS } = members;
  if (sequence !== undefined && !(Number.isSafeInteger(sequence) && Number(sequence) >= 0))
    throw invalid('spiffe_sequence is not a whole number');
  if (hintS !== undefined && !(typeof hintS === 'number' && hintS > 0))
    throw invalid('spiffe_refresh_hint is not a number of seconds');
  return {
    keys,
    ...(sequence !== undefined && { sequence: BigInt(sequence as number) }),
    refreshHintMs: hintS === undefined ? DEFAULT_REFRESH_MS : hintS * 1000,
  };
}

/**
 * The keys of an OIDC issuer: those for signatures that have a `kid`. A token without one is refused, so others are of no use.
 * @throws IdentityError ERR_IDENTITY_BUNDLE_INVALID
 */
export function parseJwks(bytes: Buffer, location: string): Bundle {
  const { keys } = readKeySet(bytes, location, {
    wants: ({ kid, use, key_ops: uses }) =>
      kid !== undefined &&
      (use === undefined || use === 'sig') &&
      (uses === undefined || (Array.isArray(uses) && uses.includes('verify'))),
    algorithms: OIDC_ALGORITHMS,
  });
  return { keys, refreshHintMs: DEFAULT_REFRESH_MS };
}
