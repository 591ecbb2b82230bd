/** What the broker says of leases, for integration specs. */
import { v7 as uuidv7 } from 'uuid';
import type { EventOf } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import type { Plan } from '#providers/provider.js';

export const AGENT = 'spiffe://dev.mayfly/agent/analyst';

export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

/** Members of every event, as the broker gives them. */
export const brokers = (taskId: string) => ({
  taskId,
  generation: 1,
  tenant: 'sample',
  actor: serviceSource('broker'),
  at: inMs(0),
});

export function intended(taskId: string, plan: Plan, parents: string[] = []): EventOf<'lease.intended'> {
  const lineage = [taskId, ...parents].map((id) => ({ taskId: id, generation: 1 }));
  return {
    type: 'lease.intended',
    data: { ...brokers(taskId), ...plan, callId: uuidv7(), agent: AGENT, lineage },
  };
}

export function issued(taskId: string, plan: Plan): EventOf<'lease.issued'> {
  const { leaseId, notAfter } = plan;
  return {
    type: 'lease.issued',
    data: { ...brokers(taskId), leaseId, callId: uuidv7(), agent: AGENT, notAfter, incarnation: 'one' },
  };
}

export function renewed(
  taskId: string,
  { leaseId, notAfter: previousNotAfter }: Plan,
  notAfter: string,
): EventOf<'lease.renewed'> {
  const decided = { checks: [], policySet: 'sha256:0', inputs: 'sha256:0', renewals: 1 };
  return {
    type: 'lease.renewed',
    data: {
      ...brokers(taskId),
      ...decided,
      leaseId,
      callId: uuidv7(),
      agent: AGENT,
      notAfter,
      previousNotAfter,
    },
  };
}
