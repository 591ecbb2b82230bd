/** What the broker says of an amendment, for integration specs. */
import type { EventOf } from '#events/outbound.js';
import { AGENT, brokers, inMs } from './broker-voice.contract.js';

export const amended = (
  taskId: string,
  change: Partial<EventOf<'task.amended'>['data']> = {},
): EventOf<'task.amended'> => ({
  type: 'task.amended',
  data: {
    ...brokers(taskId),
    generation: 2,
    orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
    agents: [AGENT],
    declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
    deadline: inMs(600_000),
    risk: 'low',
    lineage: [{ taskId, generation: 2 }],
    policySet: 'sha256:0',
    bounds: 'spiffe://dev.mayfly/orchestrator/sample',
    agentsMayEnd: false,
    delegable: [],
    limits: { maxCalls: 1, maxRows: 1 },
    policies: [],
    inputs: 'sha256:0',
    cause: 'amended',
    ...change,
  },
});
