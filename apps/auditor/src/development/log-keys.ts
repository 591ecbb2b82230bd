/** The log's keys for one machine, made at the first start. In production they come from a secret store or an HSM's export. */
import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';

export interface LogKeyFiles {
  /** Private note key, mode 0600. */
  signerKey: string;
  /** Its public half: what a verifier needs. */
  verifierKey: string;
  /** 32 random bytes in hex, mode 0600. */
  pseudonymKey: string;
}

export class LogKeyError extends Error {
  override readonly name = 'LogKeyError';
  readonly code = 'ERR_LOG_KEYS_DEVELOPMENT_ONLY';
}

/**
 * Makes what is missing in `keys/`, and leaves what is there.
 * @throws LogKeyError unless `MAYFLY_ENV` is `development`: keys that lie beside what they sign protect nothing.
 */
export async function ensureLogKeys(
  stateDir: string,
  origin = 'mayfly.dev/log',
  env: NodeJS.ProcessEnv = process.env,
): Promise<LogKeyFiles> {
  if (env.MAYFLY_ENV !== 'development') throw new LogKeyError('development keys need MAYFLY_ENV=development');
  const folder = join(stateDir, 'keys');
  const files = {
    signerKey: join(folder, 'log-signer.key'),
    verifierKey: join(folder, 'log-signer.vkey'),
    pseudonymKey: join(folder, 'audit-pseudonym.key'),
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeOnce(files.signerKey, () => generateNoteKey(origin).skey);
  await writeOnce(files.pseudonymKey, () => randomBytes(32).toString('hex'));
  const { vkey } = parseSigner((await readFile(files.signerKey, 'utf8')).trim());
  const draft = `${files.verifierKey}.${randomUUID()}`;
  await writeFile(draft, `${vkey}\n`, { mode: 0o644 });
  await rename(draft, files.verifierKey);
  return files;
}

/** A link appears whole or not at all, and fails if another process was first: then that one's key is kept. */
async function writeOnce(file: string, make: () => string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${make()}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
