/** What the revoker says no with over HTTP: its own codes, as problems of RFC 9457. */
import type { Problem } from '#service/problem.js';

export type ProblemCode =
  | 'ERR_STATUS_LIST_NOT_FOUND'
  | 'ERR_NOT_ACCEPTABLE'
  | 'ERR_TLS_REQUIRED'
  | 'ERR_UNAUTHENTICATED'
  | 'ERR_FORBIDDEN'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_INVALID'
  | 'ERR_RATE_LIMITED';

const STATUS: Record<ProblemCode, number> = {
  ERR_STATUS_LIST_NOT_FOUND: 404,
  ERR_NOT_ACCEPTABLE: 406,
  ERR_TLS_REQUIRED: 403,
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_BODY_TOO_LARGE: 413,
  ERR_BODY_INVALID: 400,
  ERR_RATE_LIMITED: 429,
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
