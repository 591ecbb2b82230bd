/**
 * Where the next page of an answer begins, in the hands of whoever asks: a place in one snapshot of the log, good for one query. It is signed, so
 * that what comes back was made here (HMAC-SHA256, RFC 2104). It holds nothing secret, and does not stand in for the right to read.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { fromDecimal } from '#merkle/base64.js';
import { KeyFileError, readKeyFile } from '../leaf/keys.js';

export const CURSOR_CODES = ['ERR_CURSOR_INVALID', 'ERR_CURSOR_OF_OTHER_QUERY'] as const;
export type CursorCode = (typeof CURSOR_CODES)[number];

export class CursorError extends Error {
  override readonly name = 'CursorError';
  constructor(
    readonly code: CursorCode,
    message: string,
  ) {
    super(message);
  }
}

export interface CursorPlace {
  /** The entry that was looked at last. */
  after: bigint;
  /** Of the tree: all pages are of this one. */
  size: bigint;
  /** Sequence numbers that the window of the first page came to: `[first, end)`. */
  first: bigint;
  end: bigint;
  /** When the first page was asked for, in epoch milliseconds: the now of all pages. */
  askedMs: bigint;
}

const MAC_BYTES = 16;
const MAX_CHARS = 256;
const FORM = /^([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{22})$/;

export class Cursors {
  readonly #key: Buffer;

  /** @param key what was written with one key is not read with another. */
  constructor(key: Uint8Array) {
    this.#key = createHmac('sha256', key).update('mayfly cursor').digest();
  }

  /**
   * @param path of the pseudonym key's file, 64 hex digits: whoever has it can already tell persons apart, and all auditors of a log share it.
   * @throws KeyFileError if it is not there or holds anything else
   */
  static async fromFile(path: string): Promise<Cursors> {
    const text = await readKeyFile(path);
    if (!/^[0-9a-f]{64}$/.test(text)) throw new KeyFileError('a pseudonym key is 64 hex digits');
    return new Cursors(Buffer.from(text, 'hex'));
  }

  /** @param query all that was asked, but for the page, as one text */
  seal({ after, size, first, end, askedMs }: CursorPlace, query: string): string {
    const numbers = [after, size, first, end, askedMs].join(' ');
    const said = Buffer.from(`1 ${numbers} ${digestOf(query)}`).toString('base64url');
    return `${said}.${this.#mac(said).toString('base64url')}`;
  }

  /** @throws CursorError ERR_CURSOR_INVALID for what was not made here, ERR_CURSOR_OF_OTHER_QUERY for what was made for another query */
  open(text: string, query: string): CursorPlace {
    const [, said, mac] = (text.length <= MAX_CHARS ? FORM.exec(text) : null) ?? [];
    if (said === undefined || mac === undefined) throw invalid();
    const given = Buffer.from(mac, 'base64url');
    // Base64url of 16 bytes has spare bits: one cursor has one text.
    if (given.toString('base64url') !== mac || !timingSafeEqual(given, this.#mac(said))) throw invalid();
    const [version, after, size, first, end, asked, made] = Buffer.from(said, 'base64url')
      .toString('latin1')
      .split(' ');
    if (version !== '1') throw invalid();
    if (made !== digestOf(query))
      throw new CursorError('ERR_CURSOR_OF_OTHER_QUERY', 'the cursor is of another query');
    return {
      ...{ after: number(after), size: number(size), first: number(first), end: number(end) },
      askedMs: number(asked),
    };
  }

  #mac(said: string): Buffer {
    return createHmac('sha256', this.#key).update(said).digest().subarray(0, MAC_BYTES);
  }
}

const digestOf = (query: string): string =>
  createHash('sha256').update(query).digest('base64url').slice(0, 22);

function number(text: string | undefined): bigint {
  const value = fromDecimal(text ?? '');
  if (value === undefined) throw invalid();
  return value;
}

const invalid = (): CursorError => new CursorError('ERR_CURSOR_INVALID', 'the cursor was not made here');
