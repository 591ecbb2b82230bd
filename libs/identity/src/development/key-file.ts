/** Private keys of development in files, made once, by whichever process comes first. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IdentityError } from '../errors.js';
import { thumbprint, type EcPublicJwk } from '../jwk.js';
import { newP256Key } from '../new-key.js';
import { readSigningKey, type SigningKey } from '../signing-key.js';

/** @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY unless `MAYFLY_ENV` is `development`: these keys protect nothing. */
export function demandDevelopment(env: NodeJS.ProcessEnv): void {
  if (env.MAYFLY_ENV === 'development') return;
  throw new IdentityError('ERR_IDENTITY_DEVELOPMENT_ONLY', 'development keys need MAYFLY_ENV=development');
}

/** The key in `file`, made there with mode 0600 if the file is missing. Two processes at once end with the same key. */
export async function ensureKeyFile(file: string): Promise<SigningKey> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return await readSigningKey(file);
  } catch (error) {
    if (!(error instanceof IdentityError) || codeOf(error.cause) !== 'ENOENT') throw error;
  }
  const jwk = newP256Key().privateKey.export({ format: 'jwk' }) as EcPublicJwk & { d: string };
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify({ ...jwk, alg: 'ES256', kid: thumbprint(jwk) })}\n`, {
    mode: 0o600,
  });
  try {
    // A link appears whole or not at all, and fails if another process was first.
    await link(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readSigningKey(file);
}

/** Writes public JSON in one step, so that a reader never sees half of it. */
export async function writePublicJson(file: string, value: object): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o644 });
  await rename(draft, file);
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;
