/**
 * A folder of checkpoints, a file each, that is only added to: what an object store with a retention lock, a backup or a repository can keep.
 * `<size / 100,000>/<size>.checkpoint`, both in digits that sort, so that the last name is the newest head. A file appears whole and lasting, or not at
 * all, and never over another one.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MerkleError } from '#merkle/errors.js';
import { headOf, type Head } from './anchor.js';

const A_FOLDER = 100_000n;
const SIZE_DIGITS = 19;
const FOLDER = /^\d{14}$/;
const FILE = /^\d{19}\.checkpoint$/;
/** Files on the way, and what a killed process left of them. */
const FRESH = /^\.[0-9a-f]{16}\.new$/;
const MAX_NOTE_BYTES = 1_000_000;

/** Where in the folder the checkpoint of this size is. */
export function pathOf(size: bigint): { folder: string; file: string } {
  const folder = String(size / A_FOLDER).padStart(14, '0');
  return { folder, file: `${String(size).padStart(SIZE_DIGITS, '0')}.checkpoint` };
}

/** @throws MerkleError for a newest file that holds no checkpoint, what the file system says */
export async function newestCheckpoint(root: string): Promise<Head | undefined> {
  await mkdir(root, { recursive: true, mode: 0o755 });
  for (const folder of await namesIn(root, FOLDER)) {
    const [file] = await namesIn(join(root, folder), FILE);
    if (file === undefined) continue;
    // Whoever put it there may have been killed before it was lasting.
    await sync(join(root, folder));
    await sync(root);
    return await readCheckpoint(join(root, folder), file);
  }
  return undefined;
}

/** @throws what the file system says: EEXIST where there is a checkpoint of this size */
export async function addCheckpoint(
  root: string,
  { size, note }: Pick<Head, 'size' | 'note'>,
): Promise<void> {
  const { folder, file } = pathOf(size);
  const place = join(root, folder);
  if ((await mkdir(place, { recursive: true, mode: 0o755 })) !== undefined) await sync(root);
  const fresh = join(place, `.${randomBytes(8).toString('hex')}.new`);
  try {
    const handle = await open(fresh, 'wx', 0o644);
    try {
      await handle.writeFile(note);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(fresh, join(place, file));
  } finally {
    await rm(fresh, { force: true });
  }
  await sync(place);
}

/** Takes away what a killed process left beside the newest checkpoint. @throws what the file system says */
export async function removeLeftovers(root: string): Promise<void> {
  const [folder] = await namesIn(root, FOLDER);
  if (folder === undefined) return;
  for (const name of await namesIn(join(root, folder), FRESH)) await rm(join(root, folder, name));
}

/** The last first. */
async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  return (await readdir(folder))
    .filter((name) => pattern.test(name))
    .sort()
    .reverse();
}

async function readCheckpoint(folder: string, file: string): Promise<Head> {
  const path = join(folder, file);
  const { size: bytes } = await stat(path);
  const head = headOf(bytes > MAX_NOTE_BYTES ? '' : await readFile(path, 'utf8'));
  if (pathOf(head.size).file !== file)
    throw new MerkleError('ERR_CHECKPOINT_MALFORMED', 'the checkpoint is not of the size in its name');
  return head;
}

/** A name lasts once its folder is on the disk. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
