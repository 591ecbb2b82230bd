/** One task of the sample world, as fixed data for specs. */
import type { CallFacts } from '../src/call-facts.js';
import type { Catalogue, DatasetEntry } from '../src/catalogue.js';
import type { TaskStarted, ToolCalled } from '../src/inbound.js';
import { decideStart } from '../src/declare-task.js';
import { evolve, unknownTask, type Sender, type Task } from '../src/task.js';
import type { CallVerdict, Judge, TaskVerdict } from '../src/verdict.js';

export const TASK = '01930000-0000-7000-8000-000000000001';
export const CHILD = '01930000-0000-7000-8000-000000000002';
export const CALL = '01930000-0000-7000-8000-00000000000c';
export const LEASE = '01930000-0000-7000-8000-00000000000e';
export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
export const PLANNER = 'spiffe://dev.mayfly/agent/planner';
export const STRANGER = 'spiffe://dev.mayfly/agent/stranger';
export const OPERATOR = 'spiffe://dev.mayfly/operator/dev';
export const NOW = Date.parse('2026-11-24T12:00:00.000Z');
export const HASH = 'a'.repeat(64);

const agent = (id: string) => ({
  id,
  groups: [],
  owner: 'data',
  environment: 'dev',
  attested: true,
  maxConcurrentTasks: 3,
});
const dataset = (id: string, rights: string): DatasetEntry => ({
  id,
  domains: ['crm'],
  classification: 'internal',
  residency: 'EU',
  pii: false,
  target: 'shop',
  actions: new Map([['read', { rights: [rights], cedar: 'readDataset' as const }]]),
});
const byId = <T extends { id: string }>(...entries: T[]) =>
  new Map(entries.map((entry) => [entry.id, entry]));

export const catalogue: Catalogue = {
  digest: 'sha256:cat',
  orchestrators: byId({
    id: ORCHESTRATOR,
    groups: [],
    owner: 'data',
    tenant: 'corp',
    agents: [ANALYST, PLANNER],
    datasets: ['crm.orders', 'hr.salaries'],
    mayAssert: ['corp.example'],
    limits: { maxCalls: 100, maxRows: 10_000 },
    maxConcurrentTasks: 3,
  }),
  operators: byId({ id: OPERATOR, roles: ['operator' as const] }),
  agents: byId(agent(ANALYST), agent(PLANNER)),
  tools: byId({
    id: 'sql.query',
    groups: [],
    risk: 10,
    external: false,
    dataset: 'required' as const,
    actions: ['read'],
    verifiers: [],
  }),
  datasets: byId(dataset('crm.orders', 'pol_orders_read'), dataset('hr.salaries', 'pol_salaries_read')),
  targets: byId({ id: 'shop', provider: 'postgres' as const, maxTtlMs: 600_000 }),
};

export const start = (change: Partial<TaskStarted> = {}): TaskStarted => ({
  taskId: TASK,
  purpose: 'Reconcile October invoices',
  objectiveSha256: HASH,
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: ANALYST }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: new Date(NOW + 3_600_000).toISOString(),
  risk: 'low',
  ...change,
});

export const call = (change: Partial<ToolCalled> = {}): ToolCalled => ({
  taskId: TASK,
  callId: CALL,
  tool: 'sql.query',
  dataset: 'crm.orders',
  action: 'read',
  sealTo: { kty: 'OKP', crv: 'X25519', x: 'seal' },
  ...change,
});

export const sender = (id: string, ceId = 'ce-1', keyThumbprint = `key of ${id}`): Sender => ({
  id,
  ceId,
  keyThumbprint,
});

const taskVerdict: TaskVerdict = {
  decision: 'permit',
  policies: ['declare.sample'],
  inputs: {},
  inputsDigest: 'sha256:task',
};
const callVerdict: CallVerdict = {
  decision: 'permit',
  checks: [
    { check: 'tool_policy', ok: true },
    { check: 'dataset_policy', ok: true },
  ],
  reasons: [],
  obligations: { ttlMs: 300_000, approval: null, rowFilters: [] },
  inputs: {},
  inputsDigest: 'sha256:call',
};

/** A judge that says yes, but for what is changed. */
export const judge = (change: { task?: Partial<TaskVerdict>; call?: Partial<CallVerdict> } = {}): Judge => ({
  digest: 'sha256:policy',
  decideTask: () => ({ ...taskVerdict, ...change.task }),
  decideCall: () => ({ ...callVerdict, ...change.call }),
  decideRenewal: () => ({ ...callVerdict, ...change.call }),
});

export const startFacts = (ancestors: readonly Task[] = []) => ({
  catalogue,
  judge: judge(),
  ancestors,
  openTasksOfSender: 0,
  maxDepth: 16,
  nowMs: NOW,
});

/** What became of a start. */
export const codeOfStart = (decided: ReturnType<typeof decideStart>) =>
  decided.is === 'rejected'
    ? `rejected ${decided.refusal.code}`
    : decided.is === 'refused'
      ? `refused ${decided.event.data.code}`
      : 'decided';

/** The task after an accepted start. */
export function openTask(change: Partial<TaskStarted> = {}, ancestors: readonly Task[] = []): Task {
  const data = start(change);
  const decided = decideStart(unknownTask(data.taskId), data, sender(ORCHESTRATOR), startFacts(ancestors));
  if (decided.is !== 'decided') throw new Error('the start of the fixture was refused');
  return decided.events.reduce(evolve, unknownTask(data.taskId));
}

export const callFacts = (change: Partial<CallFacts> = {}): CallFacts => ({
  task: openTask(),
  ancestors: [],
  catalogue,
  judge: judge(),
  openTasksOfSender: 0,
  sealKeyThumbprint: 'thumbprint of the seal key',
  newLeaseId: LEASE,
  principalOf: (_target, leaseId) => `k${leaseId}`,
  sha256Hex: () => HASH,
  nowMs: NOW,
  ...change,
});
