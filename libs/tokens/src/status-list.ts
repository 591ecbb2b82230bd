/**
 * Token Status Lists (draft-ietf-oauth-status-list-21): two bits for each token, in one signed and compressed list. For verifiers
 * without the revocations topic. Pure.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { decodeBase64url } from '#identity/bytes.js';
import { refuse } from '#identity/refuse.js';
import { hasOnly, isName, isSeconds } from './claim-forms.js';
import type { Checked, StatusListCode } from './refusal.js';
import { readSignedToken, signToken, verifySignature, type KeyOf, type TokenKey } from './signed-token.js';

/** As in §7.1; the fourth value is an application's own, and means nothing here. */
const VALUES = ['VALID', 'INVALID', 'SUSPENDED'] as const;
export type Status = (typeof VALUES)[number];

const BITS = 2;
const PER_BYTE = 8 / BITS;
/** 4 Mi tokens: what one list may inflate to, whatever it says. */
export const MAX_STATUS_LIST_BYTES = 1_048_576;
/** A list of that size which does not compress, in base64url twice. */
export const MAX_STATUS_LIST_CHARS = 2_097_152;

/** Index 0 is in the two least significant bits of byte 0 (§4.1). */
export class StatusList {
  private constructor(readonly bytes: Buffer) {}

  /** All VALID, with room for `size` tokens, rounded up to whole bytes. @throws RangeError above 4 Mi */
  static ofSize(size: number): StatusList {
    const bytes = Math.ceil(size / PER_BYTE);
    if (!(size > 0 && bytes <= MAX_STATUS_LIST_BYTES)) throw new RangeError('no size for a status list');
    return new StatusList(Buffer.alloc(bytes));
  }

  static ofBytes(bytes: Buffer): StatusList {
    return new StatusList(bytes);
  }

  get size(): number {
    return this.bytes.length * PER_BYTE;
  }

  /** @returns undefined for an index outside the list and for a value without a meaning: no statement, so no trust (§8.3). */
  get(index: number): Status | undefined {
    const byte =
      Number.isSafeInteger(index) && index >= 0 ? this.bytes[Math.floor(index / PER_BYTE)] : undefined;
    return byte === undefined ? undefined : VALUES[(byte >> shiftOf(index)) & 0b11];
  }

  /** @throws RangeError for an index outside the list. */
  set(index: number, status: Status): void {
    const at = Math.floor(index / PER_BYTE);
    const byte = Number.isSafeInteger(index) && index >= 0 ? this.bytes[at] : undefined;
    if (byte === undefined) throw new RangeError('the index is outside the status list');
    this.bytes[at] = (byte & ~(0b11 << shiftOf(index))) | (VALUES.indexOf(status) << shiftOf(index));
  }
}

const shiftOf = (index: number) => (index % PER_BYTE) * BITS;

export interface PublishedStatusList {
  /** Where the list is served; the `uri` in the tokens (§8.3 wants them equal). */
  uri: string;
  list: StatusList;
  /** Seconds. */
  iat: number;
  /** Seconds; after it the list says nothing. */
  exp: number;
  /** Seconds for which a copy may be used without asking again. */
  ttl: number;
}

/** @throws TypeError if the key is no EC P-256 key. */
export function signStatusList({ uri, list, iat, exp, ttl }: PublishedStatusList, key: TokenKey): string {
  // Level 1: of a million entries 1.7 ms instead of 64, for half as many bytes again.
  const lst = deflateSync(list.bytes, { level: 1 }).toString('base64url');
  return signToken('statuslist+jwt', { sub: uri, iat, exp, ttl, status_list: { bits: BITS, lst } }, key);
}

export interface StatusListTrust {
  keyOf: KeyOf;
  /** From the token whose status is asked for. */
  uri: string;
  nowMs: number;
  leewayMs?: number;
  /** Longest list that is inflated. */
  maxBytes?: number;
}

const invalid = (reason: string) => refuse('ERR_STATUS_LIST_INVALID', reason);

/** Signature first, then the times, and only then is anything inflated. After `ok`, the list is what the issuer says, for now. */
export function readStatusList(
  token: string,
  { keyOf, uri, nowMs, leewayMs = 2000, maxBytes = MAX_STATUS_LIST_BYTES }: StatusListTrust,
): Checked<PublishedStatusList, StatusListCode> {
  const reading = readSignedToken(token, 'statuslist+jwt', MAX_STATUS_LIST_CHARS);
  if (!reading.ok) return reading;
  const { sub, iat, exp, ttl, status_list } = reading.signed.claims;
  if (!isName(sub, 2048) || sub !== uri)
    return refuse('ERR_STATUS_LIST_SUBJECT', 'the status list is not the one that was asked for');
  if (!isSeconds(iat) || !isSeconds(exp) || !isSeconds(ttl) || ttl === 0)
    return invalid('the status list does not say until when it is good');
  const authentic = verifySignature(reading.signed, keyOf);
  if (!authentic.ok) return authentic;
  if (nowMs >= exp * 1000) return refuse('ERR_TOKEN_EXPIRED', 'the status list has expired');
  if (iat * 1000 > nowMs + leewayMs) return refuse('ERR_TOKEN_EARLY', 'the status list is not valid yet');

  if (!hasOnly(status_list, ['bits', 'lst', 'aggregation_uri']) || status_list.bits !== BITS)
    return invalid('the status list has not two bits for each token');
  const bytes = inflate(status_list.lst, maxBytes);
  if (bytes === undefined) return invalid('the status list cannot be inflated, or is too long');
  return { ok: true, uri, list: StatusList.ofBytes(bytes), iat, exp, ttl };
}

function inflate(lst: unknown, maxOutputLength: number): Buffer | undefined {
  const deflated = typeof lst === 'string' ? decodeBase64url(lst) : undefined;
  if (deflated === undefined) return undefined;
  try {
    const { buffer, engine } = inflateWhole(deflated, maxOutputLength);
    // What follows the stream would be read by nobody, and so could be anything.
    return buffer.length > 0 && engine.bytesWritten === deflated.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

/** With `info`, which the types do not know, the answer tells how much was read. */
const inflateWhole = (deflated: Buffer, maxOutputLength: number) =>
  inflateSync(deflated, { maxOutputLength, info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
