/** What the log keeps of renewals, and of the checks of any decision. */

export const checks = {
  each: { of: { check: 'plain', ok: 'plain', policies: { each: 'plain' }, reason: 'sealed' } },
} as const;

const common = {
  leaseId: 'plain',
  callId: 'plain',
  agent: 'id',
  checks,
  policySet: 'plain',
  inputs: 'digest',
} as const;

export const renewed = {
  ...common,
  notAfter: 'plain',
  previousNotAfter: 'plain',
  renewals: 'plain',
} as const;

export const renewalRefused = { ...common, code: 'plain', reasons: 'sealed' } as const;

/** What the agent is told. */
export const renewalNoticeRules = {
  'lease.renewed': { of: { taskId: 'plain', leaseId: 'plain', agent: 'id', notAfter: 'plain' } },
  'lease.renewal_refused': {
    of: { taskId: 'plain', leaseId: 'plain', agent: 'id', code: 'plain', reasons: 'sealed' },
  },
} as const;
