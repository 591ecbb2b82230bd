/** Why a token is not accepted: closed lists of stable codes, one for each kind of token. Explained in docs/reference/tokens.md. */
import type { Checked as Either, Refused as RefusedFor } from '#identity/refuse.js';

/** What can be wrong with any signed token of ours. */
export const TOKEN_CODES = [
  'ERR_TOKEN_TOO_LARGE',
  'ERR_TOKEN_MALFORMED',
  'ERR_TOKEN_TYP',
  'ERR_TOKEN_ALGORITHM',
  'ERR_TOKEN_KEY_UNKNOWN',
  'ERR_TOKEN_SIGNATURE',
  'ERR_TOKEN_ISSUER',
  'ERR_TOKEN_AUDIENCE',
  'ERR_TOKEN_EXPIRED',
  'ERR_TOKEN_EARLY',
  'ERR_TOKEN_DETAILS',
  'ERR_TOKEN_ACTOR',
] as const;
export type TokenCode = (typeof TOKEN_CODES)[number];

/** What can be wrong with a status list besides. */
export const STATUS_LIST_CODES = ['ERR_STATUS_LIST_SUBJECT', 'ERR_STATUS_LIST_INVALID'] as const;
export type StatusListCode = TokenCode | (typeof STATUS_LIST_CODES)[number];

/** What can be wrong with a security event besides. */
export const SECURITY_EVENT_CODES = ['ERR_SECURITY_EVENT_INVALID'] as const;
export type SecurityEventCode = TokenCode | (typeof SECURITY_EVENT_CODES)[number];

/** Why a token may not be exchanged for another. */
export const EXCHANGE_CODES = [
  'ERR_EXCHANGE_SUBJECT',
  'ERR_EXCHANGE_LEASE_REUSED',
  'ERR_EXCHANGE_ACTOR',
  'ERR_EXCHANGE_KEY',
  'ERR_EXCHANGE_LINEAGE',
  'ERR_EXCHANGE_WIDENS',
  'ERR_EXCHANGE_OUTLIVES',
] as const;
export type ExchangeCode = (typeof EXCHANGE_CODES)[number];

/** Something that was checked, or the reason why it did not pass. */
export type Checked<T, C extends string = TokenCode> = Either<T, C>;
export type Refused<C extends string = TokenCode> = RefusedFor<C>;
