/** The public keys of our own services, by `kid`. */
import type { KeyObject } from 'node:crypto';
import { SERVICES, type ServiceName } from '#events/services.js';
import { isObject, parseJson } from './bytes.js';
import { IdentityError } from './errors.js';
import { hasPrivateMember, importPublicJwk } from './jwk.js';
import { fits } from './jws.js';
import { readIdentityFile } from './signing-key.js';

/** Which service signs with a `kid`. */
export type PeerKeys = ReadonlyMap<string, { service: ServiceName; key: KeyObject }>;

/**
 * Reads each service's JWKS. A service that is not named is one whose records are refused.
 * @throws IdentityError ERR_IDENTITY_FILE_UNREADABLE, ERR_IDENTITY_KEY_INVALID: no key, one that is not ES256, a private one,
 * or one `kid` twice (two services must not share a key)
 */
export async function loadPeerKeys(
  services: Partial<Record<ServiceName, { jwks: string }>>,
): Promise<PeerKeys> {
  const peers = new Map<string, { service: ServiceName; key: KeyObject }>();
  for (const service of SERVICES) {
    const file = services[service]?.jwks;
    if (file === undefined) continue;
    for (const { kid, key } of readJwks(await readIdentityFile(file), file)) {
      if (peers.has(kid))
        throw new IdentityError('ERR_IDENTITY_KEY_INVALID', 'a key id is given twice', { file, kid });
      peers.set(kid, { service, key });
    }
  }
  return peers;
}

function readJwks(bytes: Buffer, file: string): { kid: string; key: KeyObject }[] {
  const invalid = (message: string) => new IdentityError('ERR_IDENTITY_KEY_INVALID', message, { file });
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value) || !Array.isArray(parsed.value.keys))
    throw invalid('the file holds no JWK Set');
  const keys = parsed.value.keys.map((jwk: unknown) => {
    if (!isObject(jwk) || typeof jwk.kid !== 'string' || jwk.kid === '') throw invalid('a key has no key id');
    if (hasPrivateMember(jwk)) throw invalid('the file holds a private key');
    const key = importPublicJwk(jwk);
    if (key === undefined || !fits(key, 'ES256')) throw invalid('a key is not an EC P-256 public key');
    return { kid: jwk.kid, key };
  });
  if (keys.length === 0) throw invalid('the file holds no key');
  return keys;
}
