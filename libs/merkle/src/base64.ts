/** Strict standard base64 (RFC 4648 §4). Decoders skip garbage or guess, so what was read is written again and compared. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By character code. What is no digit reads as zero, and is not found again when that is written. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))),
);

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += digit(bits >> 18) + digit(bits >> 12) + digit(bits >> 6) + digit(bits);
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return missing === 0 ? text : text.slice(0, -missing) + '='.repeat(missing);
}

/** @returns undefined for anything but the one canonical encoding of some bytes. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let at = 0, from = 0; from < text.length; at += 3, from += 4) {
    const bits = (value(text, from) << 18) | (value(text, from + 1) << 12) | (value(text, from + 2) << 6);
    // What lies behind the end of the array is dropped: the padding.
    bytes[at] = bits >> 16;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits | value(text, from + 3);
  }
  return toBase64(bytes) === text ? bytes : undefined;
}

const digit = (bits: number): string => ALPHABET.charAt(bits & 63);
const value = (text: string, at: number): number => DIGITS[text.charCodeAt(at)] ?? 0;

/** A decimal number without sign or leading zeroes, at most 2^63-1 (the largest size other implementations read). */
export function fromDecimal(text: string): bigint | undefined {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const number = BigInt(text);
  return number < 2n ** 63n ? number : undefined;
}
