/**
 * What is amiss at a target, said for whoever can mend it. Texts name roles and places, never a secret.
 * Documented in docs/reference/errors.md.
 */
export const TARGET_FINDING_CODES = [
  'ERR_TARGET_UNREACHABLE',
  'ERR_TARGET_CERTIFICATE',
  'ERR_TARGET_TLS_MISSING',
  'ERR_TARGET_LOGIN_REFUSED',
  'ERR_TARGET_DATABASE_UNKNOWN',
  'ERR_TARGET_VERSION',
  'ERR_TARGET_RIGHT_MISSING',
  'ERR_TARGET_RIGHT_TOO_MUCH',
  'ERR_TARGET_POLICY_ROLE',
  'ERR_TARGET_NAME_TAKEN',
  'ERR_TARGET_NOT_INSPECTED',
] as const;

export type TargetFindingCode = (typeof TARGET_FINDING_CODES)[number];

export interface TargetFinding {
  code: TargetFindingCode;
  /** What was seen. */
  what: string;
  /** How to mend it. */
  how: string;
  /** The one right (`postgres`: policy role) that cannot be lent. Absent: it is about the whole target. */
  right?: string;
}

/** Whose login is looked at: the broker creates, the revoker cuts. */
export type TargetUser = 'broker' | 'revoker';

/** Whether nothing is issued for it. What is too much is a danger, and no reason to stop what works. */
export const STOPS: Record<TargetFindingCode, boolean> = {
  ERR_TARGET_UNREACHABLE: true,
  ERR_TARGET_CERTIFICATE: true,
  ERR_TARGET_TLS_MISSING: true,
  ERR_TARGET_LOGIN_REFUSED: true,
  ERR_TARGET_DATABASE_UNKNOWN: true,
  ERR_TARGET_VERSION: true,
  ERR_TARGET_RIGHT_MISSING: true,
  ERR_TARGET_RIGHT_TOO_MUCH: false,
  ERR_TARGET_POLICY_ROLE: true,
  ERR_TARGET_NAME_TAKEN: true,
  ERR_TARGET_NOT_INSPECTED: false,
};

/** In constant words, for an agent that is refused: what is amiss exactly is its operator's business. */
export const REASONS: Record<TargetFindingCode, string> = {
  ERR_TARGET_UNREACHABLE: 'the target does not answer',
  ERR_TARGET_CERTIFICATE: 'the certificate of the target is not trusted',
  ERR_TARGET_TLS_MISSING: 'the target does not speak TLS',
  ERR_TARGET_LOGIN_REFUSED: 'the target does not let mayfly in',
  ERR_TARGET_DATABASE_UNKNOWN: 'the target has no such database',
  ERR_TARGET_VERSION: 'the target is of a version that is not supported',
  ERR_TARGET_RIGHT_MISSING: 'mayfly lacks a right at the target',
  ERR_TARGET_RIGHT_TOO_MUCH: 'mayfly has a right too much at the target',
  ERR_TARGET_POLICY_ROLE: 'the right cannot be lent at the target',
  ERR_TARGET_NAME_TAKEN: 'names at the target that are to be ours are used by somebody else',
  ERR_TARGET_NOT_INSPECTED: 'the target could not be looked at',
};
