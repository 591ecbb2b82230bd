import { createHash } from 'node:crypto';
import {
  lstatSync,
  existsSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { canEnter, postgresUser } from '../servers/postgres-user.mjs';
import { Problem } from '../servers/problem.mjs';
import { run, systemProgram } from '../servers/run.mjs';
import { lock, LockHeld, lockHolder } from './lock.mjs';

/** Says that a folder is ours, so that `npm run reset` never removes one that was named by mistake. */
export const MARKER = 'mayfly-state';

/**
 * The folder that keeps everything of one installation: MAYFLY_STATE_DIR, else `.mayfly` in the clone.
 * @param {string} root the clone
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} its real path; it exists and PostgreSQL's account can enter it
 * @throws {Problem} when MAYFLY_STATE_DIR names a folder of something else, or one that the account cannot enter
 */
export async function openStateDir(root, env) {
  if (!env.MAYFLY_STATE_DIR) return defaultStateDir(root);
  const asked = resolve(root, env.MAYFLY_STATE_DIR);
  await makeStateDir(asked);
  const user = await postgresUser();
  if (!(await canEnter(user, asked))) {
    throw new Problem(
      `the account \`${user?.name}\` that PostgreSQL runs as cannot enter MAYFLY_STATE_DIR (${asked})`,
      'Name a folder whose parents others can enter, or unset it',
    );
  }
  return realpath(asked);
}

/**
 * `.mayfly` in the clone. PostgreSQL never runs as root, so for root in a clone below a folder closed to others (mode 0700,
 * such as root's home) the state is elsewhere and `.mayfly` a link to it.
 * @param {string} root
 * @returns {Promise<string>}
 */
export async function defaultStateDir(root) {
  const inClone = join(root, '.mayfly');
  const user = await postgresUser();
  if (user === null) return realpath(await makeStateDir(inClone));
  if (await canEnter(user, root)) {
    await makeStateDir(inClone);
    if (await canEnter(user, inClone)) return realpath(inClone);
  }
  if (isLink(inClone)) {
    const elsewhere = resolve(root, readlinkSync(inClone));
    await makeStateDir(elsewhere);
    if (await canEnter(user, elsewhere)) return realpath(elsewhere);
    await rm(inClone);
  }
  return moveOutside(root, inClone, user);
}

const lockFile = (stateDir) => join(stateDir, 'run', 'start.lock');

/**
 * Keeps the state folder for this process until it ends.
 * @param {string} stateDir
 * @returns {Promise<{ release(): void }>}
 * @throws {Problem} when another start has it
 */
export async function holdStateDir(stateDir) {
  try {
    return await lock(lockFile(stateDir));
  } catch (cause) {
    if (!(cause instanceof LockHeld)) throw cause;
    throw new Problem(
      `Mayfly runs already on ${stateDir} (process ${cause.pid})`,
      'Stop that one, or set MAYFLY_STATE_DIR to another folder',
      { cause },
    );
  }
}

/** The process that keeps the state folder, or null. */
export async function stateDirHolder(stateDir) {
  return lockHolder(lockFile(stateDir));
}

async function moveOutside(root, inClone, user) {
  const name = createHash('sha256')
    .update(await realpath(root))
    .digest('hex')
    .slice(0, 16);
  for (const parent of ['/var/lib/mayfly', join(tmpdir(), 'mayfly-state')]) {
    const outside = join(parent, name);
    try {
      const made = await mkdir(parent, { recursive: true });
      if (made !== undefined) await chmod(parent, 0o711);
      if (!isRootsOwn(parent) || !(await canEnter(user, parent))) continue;
    } catch {
      continue;
    }
    if (existsSync(inClone) && !existsSync(outside)) await move(inClone, outside);
    await rm(inClone, { recursive: true, force: true });
    await makeStateDir(outside);
    linkTo(outside, inClone);
    return realpath(outside);
  }
  throw new Problem(
    `the account \`${user.name}\` that PostgreSQL runs as can enter neither the clone nor /var/lib/mayfly`,
    'Set MAYFLY_STATE_DIR to a folder that it can enter',
  );
}

/** In a folder that others can write to, somebody could have put theirs in place of ours. */
function isRootsOwn(folder) {
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
}

async function makeStateDir(folder) {
  const isNew = !existsSync(folder) || readdirSync(folder).length === 0;
  await mkdir(folder, { recursive: true });
  if (isNew) {
    // Others may pass through (PostgreSQL's account must), and not list.
    await chmod(folder, 0o711);
    writeFileSync(
      join(folder, MARKER),
      'State of a Mayfly installation. `npm run reset` removes this folder.\n',
    );
  }
  return folder;
}

/** A rename keeps owners; across file systems `cp -a` does. */
async function move(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV') throw error;
    const { code, output } = await run(systemProgram('cp'), ['-a', '--', from, to]);
    if (code !== 0)
      throw new Error(`the state could not be moved to ${to}: ${output.trim()}`, { cause: error });
  }
}

function linkTo(outside, inClone) {
  try {
    symlinkSync(outside, inClone);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
