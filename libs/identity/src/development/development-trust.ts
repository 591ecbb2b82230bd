/** A trust domain for one machine: its signing key lies in a file. Verifiers accept it only where they are told it is development. */
import { join } from 'node:path';
import { IdentityError } from '../errors.js';
import { isTrustDomain } from '../spiffe-id.js';
import { demandDevelopment, ensureKeyFile, writePublicJson } from './key-file.js';

export interface DevelopmentTrust {
  trustDomain: string;
  /** Private JWK, mode 0600. */
  keyFile: string;
  /** SPIFFE bundle (JWKS with `use: jwt-svid`). */
  bundleFile: string;
}

/** Where the development authority lives under the state folder. */
export const developmentTrustFiles = (stateDir: string) => ({
  keyFile: join(stateDir, 'dev-ca', 'key.jwk'),
  bundleFile: join(stateDir, 'dev-ca', 'bundle.json'),
});

/**
 * Makes the authority's key where it is missing, and its bundle.
 * @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_ISSUER_INVALID, ERR_IDENTITY_KEY_INVALID
 */
export async function ensureDevelopmentTrust(
  stateDir: string,
  trustDomain = 'dev.mayfly',
  env: NodeJS.ProcessEnv = process.env,
): Promise<DevelopmentTrust> {
  demandDevelopment(env);
  if (!isTrustDomain(trustDomain))
    throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'not a trust domain', { trustDomain });
  const { keyFile, bundleFile } = developmentTrustFiles(stateDir);
  const { jwk, kid } = await ensureKeyFile(keyFile);
  await writePublicJson(bundleFile, {
    keys: [{ ...jwk, kid, use: 'jwt-svid' }],
    spiffe_sequence: 1,
    spiffe_refresh_hint: 300,
  });
  return { trustDomain, keyFile, bundleFile };
}
