/** What the revoker says no with over HTTP: its own codes, as problems of RFC 9457. */
import type { OrderRefusalCode } from '#events/order-events.js';
import type { Problem } from '#service/problem.js';

export type ProblemCode =
  | 'ERR_STATUS_LIST_NOT_FOUND'
  | 'ERR_NOT_ACCEPTABLE'
  | 'ERR_TLS_REQUIRED'
  | 'ERR_UNAUTHENTICATED'
  | 'ERR_FORBIDDEN'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_INVALID'
  | 'ERR_RATE_LIMITED'
  | 'ERR_PARAMETER_INVALID'
  | 'ERR_CONFIRMATION_MISSING'
  | 'ERR_ORDER_UNKNOWN'
  | OrderRefusalCode;

const STATUS: Record<ProblemCode, number> = {
  ERR_STATUS_LIST_NOT_FOUND: 404,
  ERR_NOT_ACCEPTABLE: 406,
  ERR_TLS_REQUIRED: 403,
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_BODY_TOO_LARGE: 413,
  ERR_BODY_INVALID: 400,
  ERR_RATE_LIMITED: 429,
  ERR_PARAMETER_INVALID: 422,
  ERR_CONFIRMATION_MISSING: 422,
  ERR_ORDER_UNKNOWN: 404,
  ERR_NOT_ENTITLED: 403,
  ERR_LEASE_UNKNOWN: 404,
  ERR_TASK_UNKNOWN: 404,
  ERR_AGENT_UNKNOWN: 404,
  ERR_AGENT_NOT_REVOKED: 409,
  ERR_TARGET_UNKNOWN: 404,
  ERR_ORDER_ID_REUSED: 409,
};
const HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  ERR_UNAUTHENTICATED: { 'WWW-Authenticate': 'Bearer realm="mayfly"' },
  ERR_RATE_LIMITED: { 'Retry-After': '1' },
};

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly code: ProblemCode,
    detail: string,
    /** Further members of the body: codes. */
    readonly fields: Record<string, string> = {},
  ) {
    super(detail);
  }
}

export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  const { code, message, fields } = error;
  return { status: STATUS[code], code, detail: message, fields, headers: HEADERS[code] ?? {} };
}
