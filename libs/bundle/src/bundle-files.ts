/** The files of a bundle, wherever they lie, and how they are read: in order, in pieces, with their digest. */
import { createHash } from 'node:crypto';
import { BundleError } from './errors.js';
import { HASH_BYTES, type Hash } from './merkle.js';

export const FILE_NAMES = [
  'manifest.json',
  'checkpoint',
  'entries.jsonl',
  'entries.csv',
  'hashes.bin',
] as const;
export type FileName = (typeof FILE_NAMES)[number];

export const isFileName = (name: string): name is FileName => FILE_NAMES.some((known) => known === name);

export interface BundleFiles {
  /** Size in bytes of each file that is there. */
  readonly sizes: ReadonlyMap<FileName, number>;
  /** Fills `into` from `offset` on. @returns how many bytes there were: fewer than fit only at the end of the file. */
  read(name: FileName, offset: number, into: Uint8Array): number;
}

export interface Digest {
  bytes: number;
  /** Hex. */
  sha256: string;
}

export const isSameDigest = (a: Digest, b: Digest): boolean => a.bytes === b.bytes && a.sha256 === b.sha256;

/** A whole file that is small. @throws BundleError ERR_BUNDLE_FILE_MISSING, ERR_BUNDLE_FILE_ALTERED if it is larger than any may be */
export function readWhole(files: BundleFiles, name: FileName, maxBytes: number): Buffer {
  const size = files.sizes.get(name);
  if (size === undefined) throw new BundleError('ERR_BUNDLE_FILE_MISSING', name);
  if (size > maxBytes) throw new BundleError('ERR_BUNDLE_FILE_ALTERED', name);
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, files.read(name, 0, bytes));
}

/** A file read from its beginning to its end, piece by piece. */
class Sequence {
  readonly #sha256 = createHash('sha256');
  #offset = 0;

  constructor(
    private readonly files: BundleFiles,
    private readonly name: FileName,
  ) {}

  fill(into: Buffer): number {
    if (!this.files.sizes.has(this.name)) return 0;
    const bytes = this.files.read(this.name, this.#offset, into);
    this.#sha256.update(into.subarray(0, bytes));
    this.#offset += bytes;
    return bytes;
  }

  /** Reads what is left. MUST be the last call. */
  digest(spare: Buffer): Digest {
    while (this.fill(spare) > 0);
    return { bytes: this.#offset, sha256: this.#sha256.digest('hex') };
  }
}

/** Longer than any row of any entry: no line of a bundle is longer. */
const BUFFER_BYTES = 1 << 20;

/** The lines of a file, without their ends. What follows the last end is a line too, if it is not empty. */
export class Lines {
  readonly #file: Sequence;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  /** What was read and is no line yet: `[at, end)` of the buffer. */
  #at = 0;
  #end = 0;
  #isWhole = true;

  constructor(files: BundleFiles, name: FileName) {
    this.#file = new Sequence(files, name);
  }

  /** @returns bytes that hold until the next call; undefined after the last line. A line that is too long comes in pieces. */
  next(): Buffer | undefined {
    let lineEnd = this.#find();
    if (lineEnd < 0) {
      this.#refill();
      lineEnd = this.#find();
    }
    if (this.#at === this.#end) return undefined;
    if (lineEnd < 0) this.#isWhole = false;
    const line = this.#buffer.subarray(this.#at, lineEnd < 0 ? this.#end : lineEnd);
    this.#at = lineEnd < 0 ? this.#end : lineEnd + 1;
    return line;
  }

  /** Did every line so far have an end, and was none too long? */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Of the whole file. MUST be the last call. */
  digest(): Digest {
    return this.#file.digest(this.#buffer);
  }

  #find(): number {
    const found = this.#buffer.indexOf(0x0a, this.#at);
    // Behind the end lies what was read before.
    return found < this.#end ? found : -1;
  }

  #refill(): void {
    this.#buffer.copyWithin(0, this.#at, this.#end);
    this.#end -= this.#at;
    this.#at = 0;
    this.#end += this.#file.fill(this.#buffer.subarray(this.#end));
  }
}

/** The hashes of `hashes.bin`, in order. */
export class HashList {
  readonly #file: Sequence;

  constructor(files: BundleFiles) {
    this.#file = new Sequence(files, 'hashes.bin');
  }

  /** At most `count` whole ones; none after the last. They hold for good. */
  next(count: number): Hash[] {
    const buffer = Buffer.allocUnsafeSlow(count * HASH_BYTES);
    const whole = Math.floor(this.#file.fill(buffer) / HASH_BYTES);
    return Array.from({ length: whole }, (_, i) => buffer.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  }

  digest(): Digest {
    return this.#file.digest(Buffer.allocUnsafe(BUFFER_BYTES));
  }
}
