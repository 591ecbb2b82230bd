/**
 * The raw record, kept beside the log and erasable: it may hold personal data, and the log may not. Tokens are bearer
 * secrets even when expired, so only their hashes are kept. A sealed credential is not kept at all: its hour is its lifetime.
 */
import { hash } from 'node:crypto';
import type { BusRecord } from '#bus/bus.js';
import { HEADERS, type RawHeaders } from '#events/envelope.js';

/** Bytes of a value that nobody vouches for are kept up to here: a forger does not fill our disk. */
const REFUSED_VALUE_BYTES = 16_384;
const HEADERS_BYTES = 65_536;

export interface Payload {
  recordKey: Buffer | null;
  /** JSON of {@link redactHeaders}; null if larger than 64 KiB. */
  headers: Buffer | null;
  /** Null if there was none, or it must not be kept. */
  value: Buffer | null;
}

export const sha256Hex = (bytes: Uint8Array | string): string => hash('sha256', bytes);

/** @param headers from {@link redactHeaders}. @param keepValue false for a sealed credential. */
export function payloadOf(
  record: BusRecord,
  headers: Buffer,
  admitted: boolean,
  keepValue: boolean,
): Payload {
  const tooLarge = !admitted && (record.value?.length ?? 0) > REFUSED_VALUE_BYTES;
  return {
    recordKey: record.key !== null && record.key.length <= 1_024 ? record.key : null,
    headers: headers.length <= HEADERS_BYTES ? headers : null,
    value: keepValue && !tooLarge ? record.value : null,
  };
}

/**
 * Headers as JSON: each name with its values in base64, in the order read; a token's value becomes `{"sha256": "<hex>"}`, one that is
 * not there `null`.
 * Deterministic, so that a commitment over it can be checked again.
 */
export function redactHeaders(headers: BusRecord['headers']): Buffer {
  const raw: RawHeaders = headers;
  let text = '{';
  for (const name of Object.keys(raw)) {
    const given = raw[name];
    const values = Array.isArray(given) ? given : given === undefined ? [] : [given];
    const isToken = TOKENS.includes(name.toLowerCase());
    const shown = values.map((value) => shownOf(value, isToken)).join(',');
    text += `${text.length > 1 ? ',' : ''}${nameText(name)}:[${shown}]`;
  }
  return Buffer.from(`${text}}`);
}

const TOKENS: readonly string[] = [HEADERS.svid, HEADERS.principal];
const KNOWN: ReadonlyMap<string, string> = new Map(
  Object.values(HEADERS).map((name) => [name, JSON.stringify(name)]),
);
const nameText = (name: string): string => KNOWN.get(name) ?? JSON.stringify(name);

/** JSON. Neither base64 nor hex has anything to escape. */
function shownOf(value: Uint8Array | string | null, isToken: boolean): string {
  if (value === null) return 'null';
  if (isToken) return `{"sha256":"${sha256Hex(value)}"}`;
  return `"${(Buffer.isBuffer(value) ? value : Buffer.from(value)).toString('base64')}"`;
}
