/**
 * Private keys at rest are encrypted under a key that the database never sees. Where that key lies is behind a port: a file, or a
 * device that gives it to nobody.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { IdentityError } from '#identity/errors.js';
import { readPrivateFile } from '../private-file.js';

export interface KeyWrap {
  /** @param name what the secret is: it opens under no other name */
  wrap(secret: Buffer, name: string): Promise<Buffer>;
  /** @throws IdentityError ERR_IDENTITY_KEY_INVALID for what was wrapped by another key, under another name, or altered */
  unwrap(wrapped: Buffer, name: string): Promise<Buffer>;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Of what is written: the first byte. */
const VERSION = 1;

/** AES-256-GCM under a key from a file. Written is `version ‖ iv ‖ ciphertext ‖ tag`. */
export class FileKeyWrap implements KeyWrap {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /**
   * @param file 32 bytes in base64, readable by its owner alone
   * @throws IdentityError ERR_IDENTITY_FILE_UNREADABLE, ERR_IDENTITY_KEY_INVALID
   */
  static async fromFile(file: string): Promise<FileKeyWrap> {
    const text = (await readPrivateFile(file)).trim();
    // No cause and no text anywhere: the text is the key.
    const key = Buffer.from(text, 'base64');
    if (key.length !== KEY_BYTES || key.toString('base64') !== text)
      throw new IdentityError('ERR_IDENTITY_KEY_INVALID', 'the file does not hold 32 bytes in base64', {
        file,
      });
    return new FileKeyWrap(key);
  }

  wrap(secret: Buffer, name: string): Promise<Buffer> {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    cipher.setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Promise.resolve(Buffer.concat([Buffer.of(VERSION), iv, sealed, cipher.getAuthTag()]));
  }

  unwrap(wrapped: Buffer, name: string): Promise<Buffer> {
    try {
      return Promise.resolve(this.#open(wrapped, name));
    } catch {
      const message = 'the key-encryption key does not open what the database holds';
      return Promise.reject(new IdentityError('ERR_IDENTITY_KEY_INVALID', message, { name }));
    }
  }

  #open(wrapped: Buffer, name: string): Buffer {
    if (wrapped[0] !== VERSION || wrapped.length < 1 + IV_BYTES + TAG_BYTES) throw new TypeError('malformed');
    const sealed = wrapped.subarray(1 + IV_BYTES, -TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, wrapped.subarray(1, 1 + IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  }
}
