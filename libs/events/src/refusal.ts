/**
 * Why Mayfly said no: the closed list of stable codes. A refusal is a fact, so it travels as an event
 * (`event.rejected`, `task.refused`, `call.decided`), never as an exception.
 */
export const REFUSAL_CODES = [
  // what arrived is not an event of ours
  'ERR_RECORD_TOO_LARGE',
  'ERR_HEADER_MISSING',
  'ERR_HEADER_DOUBLED',
  'ERR_HEADER_INVALID',
  'ERR_TYPE_UNKNOWN',
  'ERR_JSON_MALFORMED',
  'ERR_DATA_INVALID',
  // who sent it
  'ERR_KEY_MISMATCH',
  'ERR_SOURCE_MISMATCH',
  'ERR_SVID_INVALID',
  'ERR_SVID_EXPIRED',
  'ERR_SVID_NOT_BOUND',
  'ERR_SVID_UNTRUSTED',
  'ERR_SUBJECT_UNMAPPED',
  'ERR_PRINCIPAL_INVALID',
  'ERR_PRINCIPAL_MISMATCH',
  'ERR_PROOF_INVALID',
  'ERR_PROOF_MISMATCH',
  'ERR_PROOF_STALE',
  'ERR_ID_REUSED',
  'ERR_KEY_CHANGED',
  'ERR_IDENTITY_SHARED',
  'ERR_NOT_ENTITLED',
  // the task
  'ERR_TASK_UNKNOWN',
  'ERR_TASK_EXISTS',
  'ERR_TASK_ENDED',
  'ERR_TASK_SUSPENDED',
  'ERR_DEADLINE_PAST',
  'ERR_DECLARATION_INVALID',
  'ERR_TASK_FORBIDDEN',
  'ERR_PARENT_UNKNOWN',
  'ERR_PARENT_ENDED',
  'ERR_NOT_DELEGABLE',
  'ERR_DELEGATION_TOO_DEEP',
  // said by 0.1 alone
  'ERR_AMENDMENT_UNSUPPORTED',
  'ERR_RENEWAL_UNSUPPORTED',
  // the call
  'ERR_AGENT_NOT_NAMED',
  'ERR_AGENT_UNKNOWN',
  'ERR_AGENT_REVOKED',
  'ERR_NOT_DECLARED',
  'ERR_OBJECTIVE_MISMATCH',
  'ERR_CALL_REUSED',
  'ERR_SEAL_KEY_REUSED',
  'ERR_SEAL_KEY_INVALID',
  'ERR_TTL_TOO_LONG',
  'ERR_TOOL_UNKNOWN',
  'ERR_DATASET_UNKNOWN',
  'ERR_TOOL_FORBIDDEN',
  'ERR_DATASET_FORBIDDEN',
  'ERR_APPROVAL_REQUIRED',
  'ERR_APPROVAL_FLOOD',
  'ERR_APPROVAL_REFUSED',
  'ERR_APPROVAL_EXPIRED',
  'ERR_APPROVAL_LAPSED',
  'ERR_APPROVAL_WITHDRAWN',
  'ERR_POLICY_FAILED',
  'ERR_KIND_UNSUPPORTED',
  // the word of people
  'ERR_APPROVAL_UNKNOWN',
  'ERR_APPROVAL_MISMATCH',
  'ERR_APPROVAL_DECIDED',
  'ERR_APPROVER_INVOLVED',
  'ERR_TASK_NOT_DRIFTED',
  // the credential
  'ERR_TARGET_REFUSED',
  'ERR_TARGET_UNREACHABLE',
  'ERR_TARGET_UNAVAILABLE',
  'ERR_LEASE_ABANDONED',
  'ERR_LEASE_ENDED',
  'ERR_LEASE_NOT_RENEWABLE',
  'ERR_RENEWAL_TOO_LATE',
  'ERR_RENEWAL_FORBIDDEN',
  // our own records
  'ERR_RECORD_UNSIGNED',
  'ERR_RECORD_FORGED',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A refusal with the words for the caller. Messages are constant text; what varies goes in `fields`, and no secret ever does. */
export interface Refusal {
  code: RefusalCode;
  reason: string;
  fields?: Record<string, string | number>;
  /** Of a declaration: all that is wrong with it, this one first. */
  problems?: readonly Refusal[];
}
