/** The key under which the broker's token keys are encrypted, for one machine. In production it comes from a secret store. */
import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { demandDevelopment } from '#identity/development/key-file.js';

/**
 * Makes `keys/token-keys.kek` where it is missing: 32 random bytes in base64, mode 0600.
 * @returns its path
 * @throws IdentityError ERR_IDENTITY_DEVELOPMENT_ONLY: a key that lies beside what it protects protects nothing
 */
export async function ensureKeyEncryptionKey(
  stateDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  demandDevelopment(env);
  const file = join(stateDir, 'keys', 'token-keys.kek');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  try {
    // A link appears whole or not at all, and fails if another process was first: then that one's key is kept.
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return file;
}
