/** What the broker says no with over HTTP: the refusals of the bus, and a few of this transport, each with its status. */
import type { Refusal, RefusalCode } from '#events/refusal.js';
import type { Problem } from '#service/problem.js';

/** What only a request can get wrong, or only a reply can say. */
export const TRANSPORT_CODES = [
  'ERR_PATH_MISMATCH',
  'ERR_BODY_TOO_LARGE',
  'ERR_BODY_UNREADABLE',
  'ERR_MEDIA_TYPE',
  'ERR_TLS_REQUIRED',
  'ERR_BEARER_MISSING',
  'ERR_EVALUATION_INVALID',
  'ERR_RATE_LIMITED',
  'ERR_BUSY',
  'ERR_NOT_STARTED',
  'ERR_DATABASE_AWAY',
  'ERR_ANSWER_PENDING',
  'ERR_PARAMETER_INVALID',
] as const;
export type TransportCode = (typeof TRANSPORT_CODES)[number];

const STATUS: Record<RefusalCode | TransportCode, number> = {
  ERR_RECORD_TOO_LARGE: 413,
  ERR_HEADER_MISSING: 422,
  ERR_HEADER_DOUBLED: 422,
  ERR_HEADER_INVALID: 422,
  ERR_TYPE_UNKNOWN: 422,
  ERR_JSON_MALFORMED: 422,
  ERR_DATA_INVALID: 422,
  ERR_KEY_MISMATCH: 422,
  ERR_SOURCE_MISMATCH: 401,
  ERR_SVID_INVALID: 401,
  ERR_SVID_EXPIRED: 401,
  ERR_SVID_NOT_BOUND: 401,
  ERR_SVID_UNTRUSTED: 401,
  ERR_SUBJECT_UNMAPPED: 401,
  ERR_PRINCIPAL_INVALID: 401,
  ERR_PRINCIPAL_MISMATCH: 403,
  ERR_PROOF_INVALID: 401,
  ERR_PROOF_MISMATCH: 401,
  ERR_PROOF_STALE: 401,
  ERR_ID_REUSED: 409,
  ERR_KEY_CHANGED: 409,
  ERR_IDENTITY_SHARED: 429,
  ERR_NOT_ENTITLED: 403,
  ERR_TASK_UNKNOWN: 404,
  ERR_TASK_EXISTS: 409,
  ERR_TASK_ENDED: 403,
  ERR_TASK_SUSPENDED: 403,
  ERR_DEADLINE_PAST: 422,
  ERR_DECLARATION_INVALID: 422,
  ERR_TASK_FORBIDDEN: 403,
  ERR_PARENT_UNKNOWN: 404,
  ERR_PARENT_ENDED: 403,
  ERR_NOT_DELEGABLE: 403,
  ERR_DELEGATION_TOO_DEEP: 403,
  ERR_AMENDMENT_UNSUPPORTED: 501,
  ERR_RENEWAL_UNSUPPORTED: 501,
  ERR_AGENT_NOT_NAMED: 403,
  ERR_AGENT_UNKNOWN: 403,
  ERR_AGENT_REVOKED: 403,
  ERR_NOT_DECLARED: 403,
  ERR_OBJECTIVE_MISMATCH: 403,
  ERR_CALL_REUSED: 409,
  ERR_SEAL_KEY_REUSED: 422,
  ERR_SEAL_KEY_INVALID: 422,
  ERR_TTL_TOO_LONG: 422,
  ERR_TOOL_UNKNOWN: 422,
  ERR_DATASET_UNKNOWN: 422,
  ERR_TOOL_FORBIDDEN: 403,
  ERR_DATASET_FORBIDDEN: 403,
  ERR_APPROVAL_REQUIRED: 403,
  ERR_APPROVAL_FLOOD: 429,
  ERR_APPROVAL_REFUSED: 403,
  ERR_APPROVAL_EXPIRED: 410,
  ERR_APPROVAL_LAPSED: 410,
  ERR_APPROVAL_WITHDRAWN: 403,
  ERR_APPROVAL_UNKNOWN: 404,
  ERR_APPROVAL_MISMATCH: 409,
  ERR_APPROVAL_DECIDED: 409,
  ERR_APPROVER_INVOLVED: 403,
  ERR_TASK_NOT_DRIFTED: 409,
  ERR_POLICY_FAILED: 403,
  ERR_KIND_UNSUPPORTED: 422,
  ERR_TARGET_REFUSED: 502,
  ERR_TARGET_UNREACHABLE: 503,
  ERR_TARGET_UNAVAILABLE: 503,
  ERR_LEASE_ABANDONED: 503,
  ERR_LEASE_ENDED: 410,
  ERR_LEASE_NOT_RENEWABLE: 409,
  ERR_RENEWAL_TOO_LATE: 409,
  ERR_RENEWAL_FORBIDDEN: 403,
  ERR_RECORD_UNSIGNED: 401,
  ERR_RECORD_FORGED: 401,
  ERR_PATH_MISMATCH: 422,
  ERR_BODY_TOO_LARGE: 413,
  ERR_BODY_UNREADABLE: 400,
  ERR_MEDIA_TYPE: 415,
  ERR_TLS_REQUIRED: 403,
  ERR_BEARER_MISSING: 401,
  ERR_EVALUATION_INVALID: 400,
  ERR_RATE_LIMITED: 429,
  ERR_BUSY: 503,
  ERR_NOT_STARTED: 503,
  ERR_DATABASE_AWAY: 503,
  ERR_ANSWER_PENDING: 504,
  ERR_PARAMETER_INVALID: 422,
};

const RETRY_AFTER_S = 1;
/** Statuses after which the same request may succeed. */
const PASSING: readonly number[] = [429, 503, 504];

/** Thrown on the way to an answer. Its text is constant. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  constructor(
    readonly code: TransportCode,
    reason: string,
    /** Names of ours that say where. */
    readonly fields?: Record<string, string>,
  ) {
    super(reason);
  }
}

export const statusOf = (code: RefusalCode | TransportCode): number => STATUS[code];

export function refusalProblem(
  { code, reason, fields }: Refusal | { code: TransportCode; reason: string; fields?: undefined },
  more: Record<string, unknown> = {},
): Problem {
  const status = STATUS[code];
  return {
    status,
    code,
    detail: reason,
    fields: { ...(fields === undefined ? {} : { fields }), ...more },
    headers: {
      ...(PASSING.includes(status) ? { 'Retry-After': String(RETRY_AFTER_S) } : {}),
      ...(status === 401 ? { 'WWW-Authenticate': 'Mayfly-Proof' } : {}),
    },
  };
}

export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof TransportError)) return undefined;
  const { code, message: reason, fields } = error;
  return refusalProblem({ code, reason }, fields);
}
