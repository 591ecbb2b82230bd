/** Strict standard base64 (RFC 4648 §4). `Buffer.from(x, 'base64')` skips garbage, so what it read is written again and compared. */

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** @returns undefined for anything but the one canonical encoding of some bytes. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** A decimal number without sign or leading zeroes, at most 2^63-1 (the largest size other implementations read). */
export function fromDecimal(text: string): bigint | undefined {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < 2n ** 63n ? value : undefined;
}
