/** A bundle on disk: one archive, or the folder that somebody unpacked it to. Read where it lies, never written. */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isFileName, type BundleFiles, type FileName } from '../bundle-files.js';
import { BundleError } from '../errors.js';
import { BLOCK_BYTES, padded, readTarHeader } from '../tar.js';

export interface OpenBundle extends BundleFiles {
  close(): void;
}

/** @throws BundleError ERR_BUNDLE_ARCHIVE, ERR_BUNDLE_FILE_UNKNOWN, ERR_BUNDLE_FILE_TWICE; what the file system says */
export function openBundle(path: string): OpenBundle {
  const stat = statSync(path);
  if (stat.isDirectory()) return openFolder(path);
  // A pipe has no places to go back to.
  if (!stat.isFile()) throw new BundleError('ERR_BUNDLE_ARCHIVE', 'archive');
  const fd = openSync(path, 'r');
  try {
    return openArchive(fd, fstatSync(fd).size);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openArchive(fd: number, archiveBytes: number): OpenBundle {
  const places = new Map<FileName, number>();
  const sizes = new Map<FileName, number>();
  const header = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; ;) {
    if (readAt(fd, at, header) < BLOCK_BYTES) throw new BundleError('ERR_BUNDLE_ARCHIVE', 'archive');
    const file = readTarHeader(header);
    if (file === undefined) {
      assertOnlyZeros(fd, at, archiveBytes);
      break;
    }
    const { name, size } = file;
    if (sizes.has(name)) throw new BundleError('ERR_BUNDLE_FILE_TWICE', name);
    at += BLOCK_BYTES;
    if (at + size > archiveBytes) throw new BundleError('ERR_BUNDLE_ARCHIVE', name);
    places.set(name, at);
    sizes.set(name, size);
    at += padded(size);
  }
  return {
    sizes,
    read: (name, offset, into) => {
      const left = Math.max(0, (sizes.get(name) ?? 0) - offset);
      return readAt(fd, (places.get(name) ?? 0) + offset, into.subarray(0, Math.min(into.length, left)));
    },
    close: () => closeSync(fd),
  };
}

/** What tar programs fill their last record up with; nothing hides behind the end. */
function assertOnlyZeros(fd: number, from: number, to: number): void {
  if (to - from < 2 * BLOCK_BYTES || to - from > 1 << 20)
    throw new BundleError('ERR_BUNDLE_ARCHIVE', 'archive');
  const rest = Buffer.alloc(to - from);
  readAt(fd, from, rest);
  if (rest.some((byte) => byte !== 0)) throw new BundleError('ERR_BUNDLE_ARCHIVE', 'archive');
}

function openFolder(path: string): OpenBundle {
  const open = new Map<FileName, number>();
  const sizes = new Map<FileName, number>();
  const close = () => open.forEach((fd) => closeSync(fd));
  try {
    for (const name of readdirSync(path)) {
      if (!isFileName(name)) throw new BundleError('ERR_BUNDLE_FILE_UNKNOWN', 'folder');
      // A link could lead to anything.
      if (!lstatSync(join(path, name)).isFile()) throw new BundleError('ERR_BUNDLE_ARCHIVE', name);
      const fd = openSync(join(path, name), 'r');
      open.set(name, fd);
      sizes.set(name, fstatSync(fd).size);
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    sizes,
    read: (name, offset, into) => {
      const fd = open.get(name);
      return fd === undefined ? 0 : readAt(fd, offset, into);
    },
    close,
  };
}

/** Fills the buffer as far as the file goes. */
function readAt(fd: number, position: number, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const bytes = readSync(fd, into, done, into.length - done, position + done);
    if (bytes === 0) break;
    done += bytes;
  }
  return done;
}
