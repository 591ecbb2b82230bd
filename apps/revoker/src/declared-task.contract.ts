/** A task that Maria declares, for specs of what is heard of tasks: unknown, started, accepted, ended. */
import type { Catalogue } from '#events/catalogue.js';
import type { TaskStarted } from '#events/inbound.js';
import type { EventOf } from '#events/outbound.js';
import type { Sender } from '#events/task.js';
import { hearAccepted, hearEnd, hearStart, unwatchedTask, type WatchedTask } from './watched-task.js';

export const TASK = '0192aaaa-0000-7000-8000-000000000001';
export const PARENT = '0192aaaa-0000-7000-8000-000000000002';
export const MARIA = 'spiffe://corp.example/orchestrator/maria';
export const MALLORY = 'spiffe://corp.example/orchestrator/mallory';
export const AGENT = 'spiffe://corp.example/agent/executor';
export const OPERATOR = 'spiffe://corp.example/operator/olga';
export const STRANGER = 'spiffe://corp.example/agent/stranger';

export const CROWD = Array.from({ length: 32 }, (_, n) => `${AGENT}-${n}`);

const agent = (id: string) => ({
  id,
  groups: [],
  owner: 'user:maria@corp.example',
  environment: 'production',
  attested: true,
  maxConcurrentTasks: 1,
});
const orchestrator = (id: string) => ({
  id,
  groups: [],
  owner: 'user:maria@corp.example',
  tenant: 'corp',
  agents: [AGENT],
  datasets: [],
  mayAssert: [],
  limits: { maxCalls: 1, maxRows: 1 },
  maxConcurrentTasks: 1,
});
export const catalogue: Catalogue = {
  digest: 'sha256:00',
  orchestrators: new Map([MARIA, MALLORY].map((id) => [id, orchestrator(id)])),
  operators: new Map([[OPERATOR, { id: OPERATOR, roles: ['operator'] }]]),
  agents: new Map([AGENT, ...CROWD].map((id) => [id, agent(id)])),
  tools: new Map(),
  datasets: new Map(),
  targets: new Map(),
};
export const facts = { catalogue, parent: null };

export const start: TaskStarted = {
  taskId: TASK,
  purpose: 'Reconcile October invoices',
  objectiveSha256: 'ab'.repeat(32),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: AGENT }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: '2026-11-24T19:45:00.000Z',
  risk: 'low',
};
export const by = (id: string, ceId: string, keyThumbprint = `key of ${id}`): Sender => ({
  id,
  ceId,
  keyThumbprint,
});
export const accepted = (
  orchestrator: string,
  causedBy: string,
  agentsMayEnd = false,
): EventOf<'task.accepted'> => ({
  type: 'task.accepted',
  data: {
    taskId: TASK,
    generation: 1,
    tenant: 'corp',
    causedBy,
    actor: '//mayfly/broker',
    at: '2026-11-24T19:00:00.000Z',
    orchestrator,
    principal: { id: 'user:maria@corp.example', kind: 'human', proved: 'asserted' },
    purpose: start.purpose,
    objectiveSha256: start.objectiveSha256,
    agents: [AGENT],
    declared: start.declared,
    deadline: start.deadline,
    risk: 'low',
    lineage: [{ taskId: TASK, generation: 1 }],
    policySet: 'sha256:00',
    bounds: orchestrator,
    agentsMayEnd,
    delegable: [],
    limits: { maxCalls: 1, maxRows: 1 },
    proofKey: `key of ${orchestrator}`,
    policies: [],
    inputs: 'sha256:00',
  },
});

export const unknown = unwatchedTask(TASK);
export const started = hearStart(unknown, start, by(MARIA, 'ce-start'), facts).task;
export const open = hearAccepted(started, accepted(MARIA, 'ce-start'), 'ce-accepted', catalogue).task;
export const end = (task: WatchedTask, sender: Sender) => hearEnd(task, 'completed', sender, catalogue);
export const ends = { end: { outcome: 'completed', causedBy: 'ce-end' } };
