/** What the auditor says no with: its own codes, as problems of RFC 9457. */
import type { Problem } from '#service/problem.js';
import { CursorError, type CursorCode } from '../query/cursor.js';
import { FilterError, type FilterCode } from '../query/filter-error.js';

export type ProblemCode =
  | 'ERR_UNAUTHENTICATED'
  | 'ERR_TLS_REQUIRED'
  | 'ERR_FORBIDDEN'
  | 'ERR_RATE_LIMITED'
  | 'ERR_TOO_MANY_STREAMS'
  | 'ERR_PARAMETER_UNKNOWN'
  | 'ERR_PARAMETER_INVALID'
  | 'ERR_RANGE_INVALID'
  | 'ERR_RANGE_TOO_WIDE'
  | 'ERR_BODY_INVALID'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_ENTRY_NOT_FOUND'
  | 'ERR_ENTRY_NOT_COVERED'
  | 'ERR_TASK_NOT_FOUND'
  | 'ERR_EVIDENCE_UNKNOWN'
  | 'ERR_NO_CHECKPOINT'
  | FilterCode
  | CursorCode;

/** All of them, with their statuses. */
export const PROBLEMS: Readonly<Record<ProblemCode, number>> = {
  ERR_UNAUTHENTICATED: 401,
  ERR_TLS_REQUIRED: 403,
  ERR_FORBIDDEN: 403,
  ERR_RATE_LIMITED: 429,
  ERR_TOO_MANY_STREAMS: 429,
  ERR_PARAMETER_UNKNOWN: 400,
  ERR_PARAMETER_INVALID: 400,
  ERR_RANGE_INVALID: 400,
  ERR_RANGE_TOO_WIDE: 400,
  ERR_FILTER_TOO_LONG: 400,
  ERR_FILTER_TOO_MANY_TERMS: 400,
  ERR_FILTER_TOO_DEEP: 400,
  ERR_FILTER_SYNTAX: 400,
  ERR_FILTER_FIELD_UNKNOWN: 400,
  ERR_FILTER_OPERATOR: 400,
  ERR_FILTER_VALUE: 400,
  ERR_CURSOR_INVALID: 400,
  ERR_CURSOR_OF_OTHER_QUERY: 400,
  ERR_BODY_INVALID: 400,
  ERR_BODY_TOO_LARGE: 413,
  ERR_ENTRY_NOT_FOUND: 404,
  ERR_ENTRY_NOT_COVERED: 503,
  ERR_TASK_NOT_FOUND: 404,
  ERR_EVIDENCE_UNKNOWN: 404,
  ERR_NO_CHECKPOINT: 503,
};
const HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  ERR_UNAUTHENTICATED: { 'WWW-Authenticate': 'Bearer realm="mayfly"' },
  ERR_RATE_LIMITED: { 'Retry-After': '1' },
  ERR_TOO_MANY_STREAMS: { 'Retry-After': '5' },
  ERR_ENTRY_NOT_COVERED: { 'Retry-After': '1' },
  ERR_NO_CHECKPOINT: { 'Retry-After': '1' },
};

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly code: ProblemCode,
    detail: string,
    /** Further members of the body: names of parameters of ours, codes, places. */
    readonly fields: Record<string, string | number> = {},
  ) {
    super(detail);
  }
}

/** What an answer can be of. @throws ProblemError ERR_NO_CHECKPOINT */
export function signed<T>(snapshot: T | undefined): T {
  if (snapshot === undefined) throw new ProblemError('ERR_NO_CHECKPOINT', 'no checkpoint is signed yet');
  return snapshot;
}

export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof FilterError)
    return problem(error.code, error.message, { parameter: 'filter', offset: error.at });
  if (error instanceof CursorError) return problem(error.code, error.message, { parameter: 'after' });
  return error instanceof ProblemError ? problem(error.code, error.message, error.fields) : undefined;
}

const problem = (code: ProblemCode, detail: string, fields: Record<string, string | number>): Problem => ({
  ...{ status: PROBLEMS[code], code, detail, fields },
  headers: HEADERS[code] ?? {},
});
