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
  const tokens: readonly string[] = [HEADERS.svid, HEADERS.principal];
  const raw: RawHeaders = headers;
  const entries = Object.entries(raw).map(([name, given]) => {
    const values = (Array.isArray(given) ? given : given === undefined ? [] : [given]).map((value) =>
      value === null ? null : Buffer.from(value),
    );
    const isToken = tokens.includes(name.toLowerCase());
    const shown = (value: Buffer) => (isToken ? { sha256: sha256Hex(value) } : value.toString('base64'));
    return [name, values.map((value) => (value === null ? null : shown(value)))] as const;
  });
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}
