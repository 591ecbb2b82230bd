/** OAuth's own form of errors (RFC 6749 §5.2), with our code beside it. Descriptions are constant text in ASCII. */
import type { RefusalCode } from '#events/refusal.js';
import type { DpopCode } from '#identity/dpop.js';
import type { TokenCode } from '#tokens/refusal.js';
import { statusOf, TransportError, type TransportCode } from '../problems.js';
import { json, type Reply } from '../reply.js';

export type OAuthErrorName =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_authorization_details'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'access_denied'
  | 'temporarily_unavailable'
  | 'server_error';

/** What only a request to these endpoints can get wrong. */
export const OAUTH_CODES = [
  'ERR_FORM_INVALID',
  'ERR_GRANT_TYPE',
  'ERR_CLIENT_MISSING',
  'ERR_CLIENT_ASSERTION_TYPE',
  'ERR_CLIENT_MISMATCH',
  'ERR_ASSERTION_OF_OTHER_KEY',
  'ERR_SUBJECT_TOKEN_MISSING',
  'ERR_SUBJECT_TOKEN_TYPE',
  'ERR_SUBJECT_NOT_CLIENT',
  'ERR_ACTOR_TOKEN',
  'ERR_REQUESTED_TOKEN_TYPE',
  'ERR_SCOPE',
  'ERR_DETAILS_INVALID',
  'ERR_TARGET_MISMATCH',
  'ERR_DPOP_MISSING',
  'ERR_DPOP_REPLAYED',
  'ERR_TOKEN_OF_OTHER_CLIENT',
] as const;
export type OAuthCode = (typeof OAUTH_CODES)[number];
export type MayflyCode = OAuthCode | RefusalCode | TransportCode | DpopCode | TokenCode;

export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  constructor(
    readonly error: OAuthErrorName,
    readonly code: MayflyCode,
    description: string,
    readonly status = error === 'invalid_client' ? 401 : 400,
  ) {
    super(description);
  }
}

/** What a refusal of the use case is to an OAuth client, where its status does not say it. */
const BY_CODE: Partial<Record<RefusalCode | TransportCode, OAuthErrorName>> = {
  ERR_TASK_UNKNOWN: 'invalid_grant',
  ERR_TASK_ENDED: 'invalid_grant',
  ERR_TASK_SUSPENDED: 'invalid_grant',
  ERR_PARENT_ENDED: 'invalid_grant',
  ERR_AGENT_NOT_NAMED: 'invalid_grant',
  ERR_AGENT_UNKNOWN: 'invalid_grant',
  ERR_AGENT_REVOKED: 'invalid_grant',
  ERR_KEY_CHANGED: 'invalid_grant',
  ERR_LEASE_ENDED: 'invalid_grant',
  ERR_KIND_UNSUPPORTED: 'invalid_target',
  ERR_CALL_REUSED: 'invalid_request',
};

export function refused(code: RefusalCode | TransportCode, reason: string): OAuthError {
  const status = statusOf(code);
  const known = BY_CODE[code];
  if (known !== undefined) return new OAuthError(known, code, reason);
  if (status === 401) return new OAuthError('invalid_client', code, reason);
  if (status === 403) return new OAuthError('access_denied', code, reason);
  if (status === 422) return new OAuthError('invalid_authorization_details', code, reason);
  if (status === 429 || status >= 500) return new OAuthError('temporarily_unavailable', code, reason, status);
  return new OAuthError('invalid_request', code, reason);
}

const WAIT: readonly number[] = [429, 503, 504];

/** @param error anything that was thrown on the way. @returns undefined for a failure of ours, which is logged and not told. */
export function errorReply(error: unknown): Reply | undefined {
  const known = error instanceof TransportError ? refused(error.code, error.message) : error;
  if (!(known instanceof OAuthError)) return undefined;
  const { status, code } = known;
  return json(
    status,
    { error: known.error, error_description: known.message, mayfly_code: code },
    {
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="mayfly"' } : {}),
      ...(WAIT.includes(status) ? { 'Retry-After': '1' } : {}),
    },
  );
}

export const failureReply = (): Reply =>
  json(500, { error: 'server_error', error_description: 'the request failed', mayfly_code: 'ERR_INTERNAL' });
