/**
 * HMAC-SHA256 (RFC 2104) for keys of at most one block. An entry takes a dozen of them: two hashes of one call each cost a third of what an
 * object of `createHmac` does.
 */
import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Longer messages get a buffer of their own. */
const KEPT_BYTES = 16_384;

const innerInput = Buffer.alloc(BLOCK_BYTES + KEPT_BYTES);
const outerInput = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

/** @throws RangeError for a key that is longer than a block */
export const hmac = (key: Uint8Array, message: Uint8Array | string): Buffer =>
  Buffer.from(hash('sha256', outerOf(key, message), 'binary'), 'latin1');

/** In base64url. @throws RangeError for a key that is longer than a block */
export const hmacText = (key: Uint8Array, message: Uint8Array | string): string =>
  hash('sha256', outerOf(key, message), 'base64url');

function outerOf(key: Uint8Array, message: Uint8Array | string): Buffer {
  if (key.length > BLOCK_BYTES) throw new RangeError('the key is longer than a block');
  const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.length;
  const input = bytes <= KEPT_BYTES ? innerInput : Buffer.allocUnsafe(BLOCK_BYTES + bytes);
  pad(input, key, 0x36);
  if (typeof message === 'string') input.write(message, BLOCK_BYTES);
  else input.set(message, BLOCK_BYTES);
  const inner = hash('sha256', input.subarray(0, BLOCK_BYTES + bytes), 'binary');
  pad(outerInput, key, 0x5c);
  outerInput.write(inner, BLOCK_BYTES, 'latin1');
  return outerInput;
}

function pad(input: Buffer, key: Uint8Array, byte: number): void {
  for (let at = 0; at < BLOCK_BYTES; at += 1) input[at] = (key[at] ?? 0) ^ byte;
}
