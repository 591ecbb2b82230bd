/** Bytes without `Buffer`, which browsers do not have. */

const encoder = new TextEncoder();

/** Lone surrogates become U+FFFD: refuse them before. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Big-endian. Requires four bytes from `at` on. */
export const readUint32 = (bytes: Uint8Array, at = 0): number => viewOf(bytes).getUint32(at);

/** Big-endian. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value);
  return bytes;
}

/** Big-endian. Requires eight bytes from `at` on. */
export const readUint64 = (bytes: Uint8Array, at = 0): bigint => viewOf(bytes).getBigUint64(at);

/** Big-endian. */
export function uint64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, value);
  return bytes;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
