/** Forms of claims, read from values that nobody has vouched for. */
import { decodeBase64url, isObject } from '#identity/bytes.js';

/** One to `max` characters, none of them white or without a shape: what an identifier is made of. */
export const isName = (value: unknown, max = 512): value is string =>
  typeof value === 'string' && value.length <= max && /^[^\s\p{C}]+$/u.test(value);

/** Any text of one to `max` characters: what people call themselves. */
export const isText = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed();

/** NumericDate (RFC 7519 §2) in whole seconds, between 1970 and the year 5138. */
export const isSeconds = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 1e11;

export const isCount = (value: unknown, min: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= min;

/** An RFC 7638 thumbprint: 32 bytes in base64url. */
export const isThumbprint = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 43 && decodeBase64url(value) !== undefined;

export const isSha256Hex = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** An object with no member but `members`: what we do not know, we do not grant. */
export const hasOnly = <M extends string>(
  value: unknown,
  members: readonly M[],
): value is Partial<Record<M, unknown>> =>
  isObject(value) && Object.keys(value).every((name) => (members as readonly string[]).includes(name));
