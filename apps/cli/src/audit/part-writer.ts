import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { v4 as uuidV4 } from 'uuid';
import { BundleDraft, type ExportHead } from '#bundle/bundle-draft.js';
import type { FileName } from '#bundle/bundle-files.js';

/** One file of a bundle alone, mode 0600: it appears whole, or not at all, and never over another one. */
export class PartWriter {
  readonly draft: BundleDraft;
  readonly #path: string;
  readonly #fd: number;

  /** @throws what the file system says */
  constructor(
    private readonly out: string,
    head: ExportHead,
    part: FileName,
  ) {
    this.#path = `${out}.${uuidV4()}`;
    this.#fd = openSync(this.#path, 'wx', 0o600);
    const put = (name: FileName, piece: Buffer) => {
      if (name === part) for (let done = 0; done < piece.length;) done += writeSync(this.#fd, piece, done);
    };
    this.draft = new BundleDraft(head, put, { withTable: part === 'entries.csv' });
  }

  /** Puts the file in its place. @throws what the file system says, EEXIST if something is there */
  keep(): void {
    this.draft.finish();
    fsyncSync(this.#fd);
    linkSync(this.#path, this.out);
  }

  /** MUST be called; without `keep` before it, nothing stays. */
  close(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}
