/** JWT-SVIDs of the development trust domain: what a SPIFFE workload API gives in production. */
import { IdentityError } from '../errors.js';
import { signJws } from '../jws.js';
import { readSigningKey } from '../signing-key.js';
import { trustDomainOf } from '../spiffe-id.js';
import { developmentTrustFiles } from './development-trust.js';
import { demandDevelopment } from './key-file.js';

export interface SvidRequest {
  stateDir: string;
  /** SPIFFE id: the token's `sub`. */
  id: string;
  /** The one audience: `mayfly`, or `mayfly:jkt:<thumbprint of the proof key>`. */
  audience: string;
  /** At most 24 h. */
  ttlS: number;
  nowMs?: number;
  env?: NodeJS.ProcessEnv;
}

const MAX_TTL_S = 86_400;

/**
 * A JWT-SVID signed by the development authority under `stateDir`.
 * @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_SVID_REFUSED, ERR_IDENTITY_FILE_UNREADABLE
 */
export async function mintSvid(request: SvidRequest): Promise<string> {
  const { stateDir, id, audience, ttlS, nowMs = Date.now(), env = process.env } = request;
  demandDevelopment(env);
  if (trustDomainOf(id) === undefined)
    throw new IdentityError('ERR_IDENTITY_SVID_REFUSED', 'not a SPIFFE id', { id });
  if (!Number.isInteger(ttlS) || ttlS < 1 || ttlS > MAX_TTL_S)
    throw new IdentityError('ERR_IDENTITY_SVID_REFUSED', 'the time to live must be 1 s to 24 h', { ttlS });
  const { key, kid } = await readSigningKey(developmentTrustFiles(stateDir).keyFile);
  const iat = Math.floor(nowMs / 1000);
  return signJws({ alg: 'ES256', kid, typ: 'JWT' }, { sub: id, aud: [audience], iat, exp: iat + ttlS }, key);
}
