/** A bundle being made: entries come in the order of the log, and what each file is to hold goes out in pieces. */
import { createHash, type Hash as Digester } from 'node:crypto';
import type { Digest, FileName } from './bundle-files.js';
import { CSV_HEADER, csvRow } from './csv-row.js';
import { FORMAT, manifestText, type WrittenManifest } from './manifest.js';
import { claimedHead, toBase64 } from './merkle.js';

/** Entries `[from, to)` of the log as of a signed head, and what proves them. */
export interface ExportHead {
  /** The signed note, verbatim. */
  checkpoint: string;
  from: number;
  to: number;
  /** In base64, as in the manifest. */
  proof: WrittenManifest['proof'];
}

const PIECE_BYTES = 1 << 18;

export class BundleDraft {
  readonly #head: ExportHead;
  readonly #files = new Map<FileName, Draft>();
  readonly #withTable: boolean;
  #next: number;

  /** @param put appends to a file of the bundle */
  constructor(
    head: ExportHead,
    private readonly put: (name: FileName, piece: Buffer) => void,
    { withTable = true } = {},
  ) {
    this.#head = head;
    this.#next = head.from;
    this.#withTable = withTable;
    if (withTable) this.#to('entries.csv', Buffer.from(`${CSV_HEADER}\n`));
  }

  /** The number that the next entry has. */
  get next(): number {
    return this.#next;
  }

  /** @throws TypeError for a leaf that holds a line's end: no leaf of ours does. */
  add(leaf: Buffer, leafHash: Uint8Array): void {
    if (leaf.includes(0x0a)) throw new TypeError('a leaf holds a line end');
    this.#to('entries.jsonl', leaf, LINE_END);
    this.#to('hashes.bin', Buffer.from(leafHash));
    if (this.#withTable) this.#to('entries.csv', Buffer.from(`${csvRow(this.#next, leaf)}\n`));
    this.#next += 1;
  }

  /** Requires that every entry of the range was added. @throws MerkleError if the checkpoint is none */
  finish(): void {
    const { checkpoint, from, to, proof } = this.#head;
    const { origin, size, root } = claimedHead(checkpoint);
    this.#to('checkpoint', Buffer.from(checkpoint));
    const digests = new Map([...this.#files].map(([name, draft]) => [name, draft.end()]));
    const digestOf = (name: FileName): Digest => digests.get(name) as Digest;
    const table = (name: FileName) => ({ ...digestOf(name), rows: to - from });
    const manifest: WrittenManifest = {
      format: FORMAT,
      ...{ origin, from, to },
      checkpoint: { size: Number(size), root: toBase64(root) },
      proof,
      files: {
        checkpoint: digestOf('checkpoint'),
        'entries.jsonl': table('entries.jsonl'),
        ...(this.#withTable ? { 'entries.csv': table('entries.csv') } : {}),
        'hashes.bin': table('hashes.bin'),
      },
    };
    this.put('manifest.json', Buffer.from(manifestText(manifest)));
  }

  #to(name: FileName, ...bytes: Buffer[]): void {
    let draft = this.#files.get(name);
    if (draft === undefined) {
      draft = new Draft((piece) => this.put(name, piece));
      this.#files.set(name, draft);
    }
    for (const each of bytes) draft.write(each);
  }
}

const LINE_END = Buffer.from('\n');

/** One file: gathers small writes, and digests what goes out. */
class Draft {
  readonly #sha256: Digester = createHash('sha256');
  #parts: Buffer[] = [];
  #gathered = 0;
  #bytes = 0;

  constructor(private readonly out: (piece: Buffer) => void) {}

  write(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#gathered += bytes.length;
    if (this.#gathered >= PIECE_BYTES) this.#flush();
  }

  end(): Digest {
    this.#flush();
    return { bytes: this.#bytes, sha256: this.#sha256.digest('hex') };
  }

  #flush(): void {
    const piece = Buffer.concat(this.#parts);
    this.#sha256.update(piece);
    this.#bytes += piece.length;
    this.out(piece);
    [this.#parts, this.#gathered] = [[], 0];
  }
}
