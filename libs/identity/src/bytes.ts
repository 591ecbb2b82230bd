/** Strict readings of bytes: one text for one value, so that nobody can change a byte and keep the meaning. */
import { hash } from 'node:crypto';

/** SHA-256 in lower-case hex; a string is taken as UTF-8. */
export const sha256Hex = (bytes: Uint8Array | string): string => hash('sha256', bytes);

/**
 * base64url without padding (RFC 7515 §2). Characters outside the alphabet, padding, and unused bits that are
 * not zero are all undefined: Node's own decoder ignores them.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

// `ignoreBOM: true` means that a byte order mark stays in the text, where JSON.parse refuses it (RFC 8259 §8.1).
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** JSON out of well-formed UTF-8 without a byte order mark. Of a member given twice the last counts, as in ECMAScript. */
export function parseJson(bytes: Uint8Array): { ok: true; value: unknown } | { ok: false } {
  try {
    return { ok: true, value: JSON.parse(utf8.decode(bytes)) as unknown };
  } catch {
    return { ok: false };
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
