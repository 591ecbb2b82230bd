/** The keys with which broker, revoker and auditor sign their records, for one machine. */
import { join } from 'node:path';
import { SERVICES, type ServiceName } from '#events/services.js';
import { demandDevelopment, ensureKeyFile, writePublicJson } from './key-file.js';

export type ServiceKeyFiles = Record<
  ServiceName,
  {
    /** Private ES256 JWK, mode 0600, `kid` = RFC 7638 thumbprint. */
    signingKey: string;
    /** The public half, as a JWKS. */
    jwks: string;
  }
>;

/**
 * Makes `keys/<service>.jwk` where it is missing, and `keys/<service>.jwks.json` beside it.
 * @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_KEY_INVALID
 */
export async function ensureServiceKeys(
  stateDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ServiceKeyFiles> {
  demandDevelopment(env);
  const made = await Promise.all(
    SERVICES.map(async (service) => {
      const signingKey = join(stateDir, 'keys', `${service}.jwk`);
      const jwks = join(stateDir, 'keys', `${service}.jwks.json`);
      const { jwk, kid } = await ensureKeyFile(signingKey);
      await writePublicJson(jwks, { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] });
      return [service, { signingKey, jwks }] as const;
    }),
  );
  return Object.fromEntries(made) as ServiceKeyFiles;
}
