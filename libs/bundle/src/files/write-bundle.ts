/** A bundle as one file of its owner's alone (mode 0600): it appears whole, or not at all, and never over another one. */
import { closeSync, fsyncSync, linkSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BundleDraft, type ExportHead } from '../bundle-draft.js';
import { FILE_NAMES, type FileName } from '../bundle-files.js';
import { END_OF_ARCHIVE, MAX_FILE_BYTES, padded, tarHeader } from '../tar.js';

const PIECE_BYTES = 1 << 20;

export class BundleTooLarge extends Error {
  override readonly name = 'BundleTooLarge';
  constructor() {
    super('a file of a bundle holds 8 GiB at most: export less at once');
  }
}

export class BundleWriter {
  readonly draft: BundleDraft;
  readonly #folder: string;
  readonly #open = new Map<FileName, { fd: number; bytes: number }>();

  /** @param out where the bundle is to appear; its files are gathered beside it. @throws what the file system says */
  constructor(
    private readonly out: string,
    head: ExportHead,
    options?: { withTable?: boolean },
  ) {
    this.#folder = mkdtempSync(`${out}.`);
    this.draft = new BundleDraft(head, (name, piece) => this.#append(name, piece), options);
  }

  /** Puts the bundle in its place. @throws what the file system says, EEXIST if something is there */
  keep(): void {
    this.draft.finish();
    const path = join(this.#folder, 'bundle');
    const fd = openSync(path, 'wx', 0o600);
    try {
      for (const name of FILE_NAMES) this.#copyTo(fd, name);
      writeAll(fd, END_OF_ARCHIVE);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(path, this.out);
  }

  /** MUST be called; without `keep` before it, nothing stays. */
  close(): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @throws BundleTooLarge */
  #append(name: FileName, piece: Buffer): void {
    const file = this.#open.get(name) ?? { fd: openSync(join(this.#folder, name), 'wx+', 0o600), bytes: 0 };
    this.#open.set(name, file);
    file.bytes += piece.length;
    if (file.bytes > MAX_FILE_BYTES) throw new BundleTooLarge();
    writeAll(file.fd, piece);
  }

  #copyTo(archive: number, name: FileName): void {
    const file = this.#open.get(name);
    if (file === undefined) return;
    writeAll(archive, tarHeader(name, file.bytes));
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = 0; at < file.bytes;) {
      const bytes = readSync(file.fd, piece, 0, piece.length, at);
      writeAll(archive, piece.subarray(0, bytes));
      at += bytes;
    }
    writeAll(archive, Buffer.alloc(padded(file.bytes) - file.bytes));
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}
