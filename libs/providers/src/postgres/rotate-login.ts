/**
 * Gives our account at a target another password. It does so itself, and the server is given a SCRAM verifier: the password is in no
 * statement. Three steps, each of which may be the last that this process takes:
 *
 *   1. the file holds the new password and the old one     old is right
 *   2. ALTER ROLE                                          new is right
 *   3. the file holds the new password
 *
 * Whoever logs in meanwhile tries both, and whoever comes after a death goes on where it stopped.
 */
import pg from 'pg';
import { ProviderError } from '../provider.js';
import type { Secret } from '../secret.js';
import { asProviderError } from './errors.js';
import { readPasswords, writePasswords } from './password-file.js';
import { clientConfig } from './pools.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';
import type { PostgresSettings } from './settings.js';
import { literal } from './sql.js';
import { isPasswordRefused } from './target-login.js';

const WITHIN_MS = 5_000;

/** Steps that have just been taken. */
export type RotationStep = 'written' | 'altered';

export interface RotationMeans {
  /** Asked before each step: rejects once somebody else may be at it. */
  mayGoOn: () => Promise<void>;
  /** For specs: what it throws is where this process dies. */
  after?: (step: RotationStep) => void;
}

/**
 * MUST NOT run twice at once for one account.
 * @throws ProviderError ERR_TARGET_MISCONFIGURED where no password of the file lets us in; PasswordFileError; what `mayGoOn` rejects with
 */
export async function rotateLogin(
  settings: PostgresSettings,
  { mayGoOn, after = () => undefined }: RotationMeans,
): Promise<void> {
  const { passwordFile } = settings.login;
  if (passwordFile === undefined)
    throw new ProviderError('ERR_TARGET_MISCONFIGURED', 'the password is in no file');
  const [newest, before] = await readPasswords(passwordFile);
  const [next, old] = before === undefined ? [randomSecret(), newest] : [newest, before];
  await mayGoOn();
  if (before === undefined) await writePasswords(passwordFile, [next, old]);
  after('written');
  if (!(await letsIn(settings, next))) {
    await mayGoOn();
    await alter(settings, old, next);
    after('altered');
    if (!(await letsIn(settings, next)))
      throw new ProviderError('ERR_TARGET_REFUSED', 'the new password does not let us in');
  }
  await mayGoOn();
  await writePasswords(passwordFile, [next]);
}

/** @throws ProviderError where that cannot be found out */
async function letsIn(settings: PostgresSettings, password: Secret): Promise<boolean> {
  try {
    await asLogin(settings, password, () => Promise.resolve());
    return true;
  } catch (error) {
    if (isPasswordRefused(error)) return false;
    throw asProviderError(error);
  }
}

async function alter(settings: PostgresSettings, old: Secret, next: Secret): Promise<void> {
  const verifier = scramVerifier(next, settings.scramIterations);
  try {
    await asLogin(settings, old, (client) =>
      client.query(
        // A password that a crash of the server could take back would be gone from the file by then.
        `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
         ALTER ROLE CURRENT_USER PASSWORD ${literal(verifier)}`,
      ),
    );
  } catch (error) {
    throw asProviderError(error);
  }
}

async function asLogin(
  settings: PostgresSettings,
  password: Secret,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({
    ...clientConfig(settings),
    password: () => password.reveal(),
    application_name: 'mayfly rotate',
    connectionTimeoutMillis: WITHIN_MS,
    query_timeout: WITHIN_MS,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
