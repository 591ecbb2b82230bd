/** Facts that grow with a task, from its events to the guards of the sample: what a broker folds is what policy sees. */
import type { Catalogue } from '#events/catalogue.js';
import { decideCall } from '#events/call.js';
import { decideStart } from '#events/declare-task.js';
import type { TaskStarted, ToolCalled } from '#events/inbound.js';
import { evolve, unknownTask, type Task } from '#events/task.js';
import type { CallInputs } from './decision-inputs.js';
import { loadCatalogue } from './load-catalogue.js';
import { PolicySet } from './policy-set.js';

const TASK = '01930000-0000-7000-8000-000000000001';
const NOON_MS = Date.UTC(2026, 0, 5, 12);
const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const sender = (id: string) => ({ id, keyThumbprint: `key of ${id}`, ceId: 'ce-1' });
const ORDERS = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
const CUSTOMERS = { tool: 'sql.query', dataset: 'crm.customers', action: 'read' };
const SALARIES = { tool: 'sql.query', dataset: 'hr.salaries', action: 'read' };

let catalogue: Catalogue;
let judge: PolicySet;
beforeAll(async () => {
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
  judge = await PolicySet.load('deploy/sample/policy');
});

function started(limits?: TaskStarted['limits']): Task {
  const start: TaskStarted = {
    taskId: TASK,
    purpose: 'Reconcile October invoices',
    objectiveSha256: 'a'.repeat(64),
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: ANALYST }],
    declared: [ORDERS, CUSTOMERS, SALARIES].map(({ action, ...on }) => ({ ...on, actions: [action] })),
    deadline: new Date(NOON_MS + 3_600_000).toISOString(),
    risk: 'low',
    limits,
  };
  const facts = { catalogue, judge, ancestors: [], openTasksOfSender: 0, maxDepth: 8, nowMs: NOON_MS };
  const decided = decideStart(unknownTask(TASK), start, sender(ORCHESTRATOR), facts);
  if (decided.is !== 'decided') throw new Error('the start was refused');
  return decided.events.reduce(evolve, unknownTask(TASK));
}

interface Made {
  task: Task;
  decision: string;
  /** Policies that did not permit it. */
  against: string[];
  inputs: CallInputs;
}

function call(task: Task, change: Partial<ToolCalled>, nowMs = NOON_MS, given = catalogue): Made {
  const result = decideCall(
    {
      ...{ taskId: TASK, callId: TASK, ...ORDERS, ...change },
      sealTo: { kty: 'OKP', crv: 'X25519', x: 'seal' },
    },
    sender(ANALYST),
    {
      ...{ task, ancestors: [], catalogue: given, judge, openTasksOfSender: 0, nowMs },
      sealKeyThumbprint: 'thumbprint of the seal key',
      newLeaseId: TASK,
      principalOf: () => 'ksmp',
      sha256Hex: () => 'a'.repeat(64),
    },
  );
  if (result.is === 'rejected') throw new Error('the call was rejected');
  const { decision, checks } = result.decided.data;
  return {
    task: evolve(task, result.decided),
    decision,
    against: checks.filter(({ ok }) => !ok).flatMap(({ policies = [] }) => policies),
    inputs: result.inputs?.inputs as CallInputs,
  };
}

/** So many calls, one after the other. */
const calls = (task: Task, count: number, change: Partial<ToolCalled>, nowMs = NOON_MS): Task =>
  Array.from({ length: count }).reduce<Task>((before) => call(before, change, nowMs).task, task);

it('a task makes as many calls a minute as it declared, and goes on in the next', () => {
  const busy = calls(started({ maxCallsPerMinute: 3 }), 3, ORDERS);

  expect(call(busy, ORDERS, NOON_MS + 59_999)).toMatchObject({
    decision: 'deny',
    against: ['guard.call-rate'],
  });
  expect(call(busy, ORDERS, NOON_MS + 60_000).decision).toBe('permit');
  expect(call(calls(started(), 3, ORDERS), ORDERS).decision).toBe('permit');
});

it('a task that was denied more than half of its calls reads what is internal, and no more', () => {
  const refused = calls(started(), 10, SALARIES);

  expect(call(refused, CUSTOMERS)).toMatchObject({ decision: 'deny', against: ['guard.refusals'] });
  expect(call(refused, ORDERS).decision).toBe('permit');
  expect(call(calls(started(), 10, CUSTOMERS), CUSTOMERS).decision).toBe('permit');
});

it('an agent runs the models that the catalogue has for it', () => {
  const entry = catalogue.agents.get(ANALYST);
  if (entry === undefined) throw new Error('the analyst is missing');
  const pinned = { ...entry, models: [{ name: 'reader', version: '4' }] };
  const given = { ...catalogue, agents: new Map(catalogue.agents).set(ANALYST, pinned) };
  const running = (model?: ToolCalled['model']) => call(started(), { model }, NOON_MS, given);

  expect(running({ name: 'reader', version: '4' }).decision).toBe('permit');
  expect(running({ name: 'reader', version: '5' })).toMatchObject({
    decision: 'deny',
    against: ['guard.model'],
  });
  expect(running()).toMatchObject({ decision: 'deny', against: ['guard.model'] });
});

it('policy is told what there is to know, and nothing that is not', () => {
  const said = { argumentsSha256: 'b'.repeat(64), model: { name: 'reader' } };
  const { tool, dataset } = call(calls(started({ maxCallsPerMinute: 9 }), 2, CUSTOMERS), said).inputs;

  for (const { context } of [tool, dataset ?? tool]) {
    expect(context).toMatchObject({
      task: {
        objective: 'a'.repeat(64),
        startedAt: { __extn: { fn: 'datetime', arg: '2026-01-05T12:00:00.000Z' } },
        maxCallsPerMinute: 9,
      },
      now: { calls: 2, callsOfTool: 2, callsOfDataset: 0, refused: 0 },
      argumentsSha256: 'b'.repeat(64),
      modelName: 'reader',
    });
    expect(context).not.toHaveProperty('modelVersion');
    expect(context).not.toHaveProperty('modelExpected');
  }
  expect(tool.entities).toMatchObject([{ attrs: { trust: 50 } }, {}, {}]);
});
