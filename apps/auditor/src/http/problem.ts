/** What the auditor says no with: its own codes, as problems of RFC 9457. */
import type { Problem } from '#service/problem.js';

export type ProblemCode =
  | 'ERR_UNAUTHENTICATED'
  | 'ERR_FORBIDDEN'
  | 'ERR_RATE_LIMITED'
  | 'ERR_PARAMETER_UNKNOWN'
  | 'ERR_PARAMETER_INVALID'
  | 'ERR_BODY_INVALID'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_ENTRY_NOT_FOUND'
  | 'ERR_ENTRY_NOT_COVERED'
  | 'ERR_TASK_NOT_FOUND'
  | 'ERR_NO_CHECKPOINT';

const STATUS: Record<ProblemCode, number> = {
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_RATE_LIMITED: 429,
  ERR_PARAMETER_UNKNOWN: 400,
  ERR_PARAMETER_INVALID: 400,
  ERR_BODY_INVALID: 400,
  ERR_BODY_TOO_LARGE: 413,
  ERR_ENTRY_NOT_FOUND: 404,
  ERR_ENTRY_NOT_COVERED: 503,
  ERR_TASK_NOT_FOUND: 404,
  ERR_NO_CHECKPOINT: 503,
};
const HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  ERR_UNAUTHENTICATED: { 'WWW-Authenticate': 'Bearer realm="mayfly"' },
  ERR_RATE_LIMITED: { 'Retry-After': '1' },
  ERR_ENTRY_NOT_COVERED: { 'Retry-After': '1' },
  ERR_NO_CHECKPOINT: { 'Retry-After': '1' },
};

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly code: ProblemCode,
    detail: string,
    /** Further members of the body: names of parameters of ours, codes. */
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
