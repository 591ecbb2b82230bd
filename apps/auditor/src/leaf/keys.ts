/**
 * What stands in a leaf in the place of personal data. A leaf is for ever, so nothing in it may be reversible or guessable:
 * a plain hash of a name or a purpose is guessed in seconds, a keyed one is not.
 */
import { randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hmac, hmacText } from './hmac.js';

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly code = 'ERR_KEY_FILE_INVALID';
}

/** The one line of a key file. @throws KeyFileError if it cannot be read. */
export async function readKeyFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new KeyFileError('a key file cannot be read', { cause });
  }
}

/** Keyed, and the same for the same value: two entries about one person, or one digest, can be seen to belong together. */
export class Pseudonyms {
  readonly #persons: Buffer;
  readonly #digests: Buffer;

  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new KeyFileError('a pseudonym key has 32 bytes');
    this.#persons = hmac(key, 'mayfly person');
    this.#digests = hmac(key, 'mayfly digest');
  }

  /** @param path of a file with 64 hex digits. @throws KeyFileError if it is not there or holds anything else. */
  static async fromFile(path: string): Promise<Pseudonyms> {
    const text = await readKeyFile(path);
    if (!/^[0-9a-f]{64}$/.test(text)) throw new KeyFileError('a pseudonym key is 64 hex digits');
    return new Pseudonyms(Buffer.from(text, 'hex'));
  }

  /** Of a person's id: `person:<base64url>`. */
  person(id: string): string {
    return `person:${hmacText(this.#persons, id)}`;
  }

  /** Of a plain digest that somebody made of a text that could be guessed: `keyed:<base64url>`. */
  digest(value: string): string {
    return `keyed:${hmacText(this.#digests, value)}`;
  }
}

export const ENTRY_KEY_BYTES = 32;
/** One draw of many costs what one of a few does. */
const DRAWN_AT_ONCE = 256;
const drawnKeys = Buffer.alloc(DRAWN_AT_ONCE * ENTRY_KEY_BYTES);
let drawn = DRAWN_AT_ONCE;

/** The key of one entry's commitments, kept with its payload: when both are erased, the commitments cannot be opened any more. */
export function newEntryKey(): Buffer {
  if (drawn === DRAWN_AT_ONCE) {
    randomFillSync(drawnKeys);
    drawn = 0;
  }
  const from = drawn * ENTRY_KEY_BYTES;
  drawn += 1;
  return Buffer.from(drawnKeys.subarray(from, from + ENTRY_KEY_BYTES));
}

/**
 * HMAC-SHA256 of a value under a key of its own, derived from the entry's: one value can be opened to somebody without the
 * others. `place` is a JSON pointer into the event (RFC 6901), or `value` or `headers` for the raw bytes.
 */
export const commitment = (entryKey: Uint8Array, place: string, value: Uint8Array | string): string =>
  hmacText(hmac(entryKey, place), value);
