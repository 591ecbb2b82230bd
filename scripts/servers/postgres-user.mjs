import { constants, accessSync, chmodSync } from 'node:fs';
import { chown, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from './problem.mjs';
import { run, systemProgram } from './run.mjs';

const CANDIDATES = ['postgres', '_postgres', 'nobody'];

/**
 * Whom PostgreSQL runs as: it refuses root, so for root the first account there is of postgres, _postgres (macOS) and nobody;
 * null for anybody else, who runs it as themselves.
 * @returns {Promise<{ name: string, uid: number, gid: number } | null>}
 * @throws {Problem} when root has none of them
 */
export async function postgresUser() {
  if (process.getuid?.() !== 0) return null;
  for (const name of CANDIDATES) {
    const uid = await run(systemProgram('id'), ['-u', name]);
    const gid = await run(systemProgram('id'), ['-g', name]);
    // macOS prints nobody's -2 as unsigned, and spawn wants it signed.
    if (uid.code === 0 && gid.code === 0)
      return { name, uid: Number(uid.output) | 0, gid: Number(gid.output) | 0 };
  }
  throw new Problem(
    'PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to run it as',
    'Make one (`useradd --system postgres`), or run it as an ordinary user',
  );
}

/**
 * Whether that account can enter a folder, found out by trying: modes, groups and access lists all count.
 * @param {{ uid: number, gid: number } | null} user null: ourselves
 * @param {string} folder an existing one
 */
export async function canEnter(user, folder) {
  if (user === null) {
    try {
      accessSync(folder, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
  const { uid, gid } = user;
  const { code } = await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { uid, gid, cwd: '/' });
  return code === 0;
}

/** Gives a folder to that account. */
export async function give(user, folder) {
  if (user !== null) await chown(folder, user.uid >>> 0, user.gid >>> 0);
}

/**
 * A new temporary folder that PostgreSQL's account can enter but not list: the system's temporary folder, else /var/tmp.
 * @param {string} prefix
 * @param {{ name: string, uid: number, gid: number } | null} user
 * @returns {Promise<string>}
 */
export async function temporaryFolder(prefix, user) {
  for (const parent of [tmpdir(), '/var/tmp']) {
    await mkdir(parent, { recursive: true });
    if (!(await canEnter(user, parent))) continue;
    const folder = await mkdtemp(join(parent, prefix));
    chmodSync(folder, user === null ? 0o700 : 0o711);
    return folder;
  }
  throw new Problem(
    `the account \`${user?.name}\` that PostgreSQL runs as cannot enter the temporary folder ${tmpdir()}`,
    'Set TMPDIR to a folder that it can enter',
  );
}
