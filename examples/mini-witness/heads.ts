/**
 * What the witness cosigned last of each log: a file a log, which holds that checkpoint. A file is replaced whole, and lasts from then on
 * (`fsync` of file and folder), so whatever kills the process leaves the head before or the head after.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCheckpointText, type Checkpoint } from '#merkle/checkpoint.js';
import type { Cosigner } from '#merkle/cosignature.js';
import { generateWitnessKey, parseCosigner } from '#merkle/node/keys.js';
import { parseNote } from '#merkle/note.js';

export class Heads {
  /** @param folder this process's alone */
  constructor(private readonly folder: string) {}

  /** Undefined for a log of which nothing was cosigned. @throws MerkleError for a damaged file: rather no answer than a wrong one */
  latest(origin: string): Checkpoint | undefined {
    const note = readIfThere(this.#fileOf(origin));
    return note === undefined ? undefined : parseCheckpointText(parseNote(note).text);
  }

  /** @param checkpoint its signed note */
  keep(origin: string, checkpoint: string): void {
    replaceFile(this.#fileOf(origin), checkpoint);
  }

  /** An origin may be anything, a path too. */
  #fileOf(origin: string): string {
    return join(this.folder, `${createHash('sha256').update(origin).digest('hex')}.checkpoint`);
  }
}

/** The witness's key, made at its first start. @throws Error where the folder has the key of another name */
export function cosignerIn(folder: string, name: string): Cosigner {
  const file = join(folder, 'key');
  if (readIfThere(file) === undefined) replaceFile(file, `${generateWitnessKey(name).skey}\n`);
  const cosigner = parseCosigner(readFileSync(file, 'utf8').trim());
  if (cosigner.name !== name) throw new Error(`${file} is the key of another witness`);
  return cosigner;
}

/** What cannot be read is not absent. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function replaceFile(file: string, text: string): void {
  const fresh = `${file}.new`;
  withOpen(fresh, 'w', (fd) => {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    fsyncSync(fd);
  });
  renameSync(fresh, file);
  withOpen(dirname(file), 'r', fsyncSync);
}

function withOpen(path: string, flags: string, work: (fd: number) => void): void {
  const fd = openSync(path, flags, 0o600);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
