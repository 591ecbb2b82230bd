/** An issuer of people's tokens for one machine: what a company's identity provider is in production. Its signing key lies in a file. */
import { join } from 'node:path';
import { IdentityError } from '../errors.js';
import { signJws } from '../jws.js';
import { SIGN_IN_MAX_MS, signInAudience } from '../sign-in.js';
import { readSigningKey } from '../signing-key.js';
import { demandDevelopment, ensureKeyFile, writePublicJson } from './key-file.js';

/** `iss` of its tokens. Nobody is at this address: its keys are read from a file. */
export const DEVELOPMENT_LOGIN = 'https://login.dev.mayfly';

/** Where it lives under the state folder. */
export const developmentLoginFiles = (stateDir: string) => ({
  keyFile: join(stateDir, 'dev-login', 'key.jwk'),
  jwksFile: join(stateDir, 'dev-login', 'jwks.json'),
});

/** Makes its key where it is missing, and its JWK Set. @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_KEY_INVALID */
export async function ensureDevelopmentLogin(
  stateDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ keyFile: string; jwksFile: string }> {
  demandDevelopment(env);
  const { keyFile, jwksFile } = developmentLoginFiles(stateDir);
  const { jwk, kid } = await ensureKeyFile(keyFile);
  await writePublicJson(jwksFile, { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] });
  return { keyFile, jwksFile };
}

export interface LoginRequest {
  stateDir: string;
  /** `user:olga@corp.example`. */
  person: string;
  /** At most 5 minutes. */
  ttlS: number;
  nowMs?: number;
  env?: NodeJS.ProcessEnv;
}

/**
 * The token of a person who has signed in, without asking for anything: whoever reads the key's file is everybody.
 * @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY, ERR_IDENTITY_LOGIN_REFUSED, ERR_IDENTITY_FILE_UNREADABLE
 */
export async function mintLogin(request: LoginRequest): Promise<string> {
  const { stateDir, person, ttlS, nowMs = Date.now(), env = process.env } = request;
  demandDevelopment(env);
  const email = /^user:([a-z0-9._+-]+@[a-z0-9.-]+)$/.exec(person)?.[1];
  if (email === undefined)
    throw new IdentityError('ERR_IDENTITY_LOGIN_REFUSED', 'not a person, such as user:olga@corp.example', {
      person,
    });
  if (!Number.isInteger(ttlS) || ttlS < 1 || ttlS * 1_000 > SIGN_IN_MAX_MS)
    throw new IdentityError('ERR_IDENTITY_LOGIN_REFUSED', 'the time to live must be 1 s to 5 minutes', {
      ttlS,
    });
  const { key, kid } = await readSigningKey(developmentLoginFiles(stateDir).keyFile);
  const iat = Math.floor(nowMs / 1_000);
  const claims = { email, email_verified: true, aud: signInAudience('mayfly'), iat, exp: iat + ttlS };
  return signJws({ alg: 'ES256', kid, typ: 'JWT' }, { iss: DEVELOPMENT_LOGIN, sub: email, ...claims }, key);
}
