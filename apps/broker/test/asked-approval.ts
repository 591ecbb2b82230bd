/** A call that waits for an approval, for the specs of notifications. */
import type { EventOf } from '#events/outbound.js';

export const CALL = {
  ...{ taskId: '0192f3c6-0000-7000-8000-00000000000a', generation: 1, tenant: 'acme' },
  ...{ causedBy: '0192f3c6-0000-7000-8000-00000000000b', at: '2026-11-24T19:00:00.000Z' },
  actor: 'spiffe://dev.mayfly/agent/analyst',
  ...{ callId: '0192f3c6-0000-7000-8000-00000000000c', agent: 'spiffe://dev.mayfly/agent/analyst' },
  ...{ tool: 'sql.query', dataset: 'crm.orders', action: 'write' },
};
export const APPROVAL_ID = '0192f3c6-0000-7000-8000-00000000000d';

type Requested = EventOf<'approval.requested'>;

export const askedFor = (change: Partial<Requested['data']> = {}): Requested => ({
  type: 'approval.requested',
  data: {
    ...CALL,
    ...{ approvalId: APPROVAL_ID, target: 'shop', callDigest: 'sha256:c', policySet: 'sha256:p' },
    lineage: [{ taskId: CALL.taskId, generation: 1 }],
    ...{ approval: 'one-person', needed: 1, groups: [['crm']], notBy: ['user:maria@corp.example'] },
    expiresAt: '2026-11-24T19:15:00.000Z',
    binds: { what: 'these_rights', rights: ['pol_crm_orders_write'], seconds: 900 },
    reasons: ['writes to tables need an approver'],
    ...change,
  },
});
