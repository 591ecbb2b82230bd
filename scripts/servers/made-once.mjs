import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * A folder that is made once and kept. A half-made one never counts: it is made beside, in a folder of this call alone, and
 * renamed when whole. Of two that make it at once, the first one's is kept.
 * @param {string} folder
 * @param {(part: string) => Promise<void>} make fills the empty folder `part`
 * @returns {Promise<string>} `folder`
 */
export async function madeOnce(folder, make) {
  if (existsSync(folder)) return folder;
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent, basename(folder));
  const part = `${folder}.${process.pid}.${randomBytes(4).toString('hex')}.part`;
  await mkdir(part);
  try {
    await make(part);
    await rename(part, folder).catch((error) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return folder;
}

/** What makers left that were killed. */
async function removeAbandoned(parent, name) {
  for (const entry of await readdir(parent)) {
    const pid = entry.startsWith(`${name}.`) ? /\.(\d+)\.[0-9a-f]+\.part$/.exec(entry)?.[1] : undefined;
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(parent, entry), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
