import { Drifting } from '../test/drifting.js';
import { ANALYST, call, catalogue, judge, NOW, openTask, PLANNER, STRANGER, TASK } from '../test/fixture.js';
import { decideEnd } from './end-task.js';
import type { ToolCalled } from './inbound.js';
import { isGrantUnused, REPORT_GRACE_MS, reportedUse, signalsOfCall } from './see-drift.js';
import { decideSuspension } from './suspend-task.js';
import { evolve, type Task } from './task.js';

const ORDERS = { tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] };
const both = () =>
  openTask({
    agents: [{ id: ANALYST }, { id: PLANNER }],
    declared: [
      { ...ORDERS, agents: [ANALYST] },
      { tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'], agents: [PLANNER] },
    ],
  });
const ended = (task: Task = openTask(), outcome: 'completed' | 'deadline' = 'completed'): Task => ({
  ...task,
  status: 'ended',
  outcome,
});
const DEADLINE = NOW + 3_600_000;
const says = (change: Partial<ToolCalled>, task: Task = both(), agent = ANALYST, saidAtMs = NOW) =>
  signalsOfCall(task, call(change), agent, saidAtMs);

describe('a call shows drift', () => {
  it.each<[what: string, change: Partial<ToolCalled>, signals: string[]]>([
    ['not where it is declared', {}, []],
    ['not where it names the declared objective', { objectiveSha256: 'a'.repeat(64) }, []],
    ['where its tool is not declared', { tool: 'mail.send' }, ['call_outside_declaration']],
    ['where nobody knows its tool', { tool: 'no.such.tool' }, ['call_outside_declaration']],
    ['where its dataset is declared for another agent only', { dataset: 'hr.salaries' }, ['dataset_creep']],
    ['where its dataset is left out', { dataset: undefined }, ['dataset_creep']],
    ['where its action is another one', { action: 'write' }, ['action_creep']],
    ['where it names another objective', { objectiveSha256: 'b'.repeat(64) }, ['objective_changed']],
    [
      'in two ways at once',
      { action: 'write', objectiveSha256: 'b'.repeat(64) },
      ['action_creep', 'objective_changed'],
    ],
  ])('%s', (_what, change, signals) => expect(says(change)).toEqual(signals));

  it('where the tool is declared for another agent only', () => {
    const task = openTask({
      agents: [{ id: ANALYST }, { id: PLANNER }],
      declared: [{ ...ORDERS, agents: [ANALYST] }],
    });

    expect(says({}, task, PLANNER)).toEqual(['call_outside_declaration']);
  });

  it('after the end of its task, whatever else it says', () => {
    expect(says({ tool: 'mail.send' }, ended())).toEqual(['use_after_end']);
    expect(says({}, openTask(), ANALYST, DEADLINE)).toEqual(['use_after_end']);
  });

  it('not where it was said before the deadline, and waited', () => {
    expect(says({}, ended(openTask(), 'deadline'), ANALYST, DEADLINE - 1)).toEqual([]);
  });

  it('not while its task is suspended', () => {
    const suspended = decideSuspension(openTask(), { cause: 'parked', causedBy: undefined, nowMs: NOW });

    expect(says({ tool: 'mail.send' }, suspended.reduce(evolve, openTask()))).toEqual([]);
  });
});

describe('a model has changed', () => {
  const after = (...models: ToolCalled['model'][]) => {
    const agent = new Drifting();
    for (const model of models) agent.asks({ model });
    return agent.seen;
  };
  const [one, two] = [
    { name: 'm', version: '1' },
    { name: 'm', version: '2' },
  ];

  it.each<[what: string, models: ToolCalled['model'][], seen: object]>([
    ['not at its first call', [one], {}],
    ['not while it stays the same', [one, one, one], {}],
    ['with its name', [one, { name: 'n', version: '1' }], { model_changed: 1 }],
    ['with its version', [one, two], { model_changed: 1 }],
    ['once, where the new one stays', [one, two, two], { model_changed: 1 }],
    ['again, where it changes back', [one, two, one], { model_changed: 2 }],
    ['not where a call names none', [one, undefined, one], {}],
    ['though a call in between left the version out', [one, { name: 'm' }, two], { model_changed: 1 }],
    ['not where only one of two calls names a version', [{ name: 'm' }, one], {}],
  ])('%s', (_what, models, seen) => expect(after(...models)).toEqual(seen));

  it('in the first call after a suspension, where it changed meanwhile', () => {
    const agent = new Drifting();
    agent.asks({ model: one });
    agent.asks({ model: two }, { task: { ...agent.task, status: 'suspended' } });
    expect(agent.seen).toEqual({});
    agent.asks({ model: two });

    expect(agent.seen).toEqual({ model_changed: 1 });
  });

  it('of one agent, not where another agent uses another one', () => {
    const agents = new Drifting(undefined, both());
    agents.asks({ model: one });
    agents.asks({ dataset: 'hr.salaries', model: two }, {}, PLANNER);

    expect(agents.seen).toEqual({});
  });
});

describe('refused calls are unusual', () => {
  const denies = { judge: judge({ call: { decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' } }) };
  const waits = { judge: judge({ call: { decision: 'approval_required' } }) };
  const play = (...calls: ('ok' | 'no' | 'waits' | 'suspended')[]) => {
    const agent = new Drifting();
    for (const each of calls) {
      if (each === 'suspended') agent.asks({}, { task: { ...agent.task, status: 'suspended' } });
      else agent.asks({}, each === 'no' ? denies : each === 'waits' ? waits : {});
    }
    return agent.seen;
  };
  const times = <T>(count: number, what: T): T[] => Array.from({ length: count }, () => what);

  it('once there are ten, and half of them are refused', () => {
    expect(play(...times(9, 'no' as const))).toEqual({});
    expect(play(...times(5, 'ok' as const), ...times(5, 'no' as const))).toEqual({ refusal_rate: 1 });
    expect(play(...times(6, 'ok' as const), ...times(5, 'no' as const))).toEqual({});
  });

  it('at each further one that is refused, and at none that is permitted', () => {
    expect(play(...times(12, 'no' as const))).toEqual({ refusal_rate: 3 });
    expect(play(...times(10, 'no' as const), ...times(3, 'ok' as const))).toEqual({ refusal_rate: 1 });
  });

  it('and what waits for people, or comes while the task is suspended, is no refused call', () => {
    expect(play(...times(9, 'no' as const), ...times(9, 'waits' as const))).toEqual({});
    expect(play(...times(9, 'no' as const), ...times(9, 'suspended' as const))).toEqual({});
  });
});

describe('a use that is reported', () => {
  const lease = { leaseId: 'lease-1', agent: ANALYST, endsAtMs: NOW };
  const VERIFIER = 'spiffe://dev.mayfly/service/orders';

  it('is of the agent that reports it, or of whose lease it was', () => {
    expect(reportedUse(openTask(), lease, ANALYST, NOW)).toEqual({
      agent: ANALYST,
      leaseId: 'lease-1',
      signals: [],
    });
    expect(reportedUse(openTask(), null, ANALYST, NOW)).toEqual({ agent: ANALYST, signals: [] });
    expect(reportedUse(openTask(), lease, VERIFIER, NOW)).toMatchObject({ agent: ANALYST });
  });

  it('is nobody’s where a verifier speaks of no lease that is known', () => {
    expect(reportedUse(ended(), null, VERIFIER, NOW)).toBeNull();
  });

  it('is of the agent that reports it, where it speaks of another’s lease', () => {
    const late = NOW + REPORT_GRACE_MS + 1;

    expect(reportedUse(both(), lease, PLANNER, late)).toEqual({ agent: PLANNER, signals: [] });
  });

  it('shows drift after the end of the task, and later after that of its lease than it may be under way', () => {
    const signals = (task: Task, saidAtMs: number) => reportedUse(task, lease, ANALYST, saidAtMs)?.signals;

    expect(signals(openTask(), NOW + REPORT_GRACE_MS)).toEqual([]);
    expect(signals(openTask(), NOW + REPORT_GRACE_MS + 1)).toEqual(['use_after_end']);
    expect(signals(ended(), NOW)).toEqual(['use_after_end']);
    expect(signals(ended(openTask(), 'deadline'), NOW)).toEqual([]);
  });
});

describe('a lease was granted and not used', () => {
  const unused = { agent: ANALYST, useReported: false };
  const reporting: Task = {
    ...openTask(),
    conduct: { [ANALYST]: { decided: 1, refused: 0, reports: true } },
  };

  it('where its agent’s uses are reported, and this one was not', () => {
    expect(isGrantUnused(reporting, unused, 'expired')).toBe(true);
    expect(isGrantUnused(reporting, { ...unused, useReported: true }, 'expired')).toBe(false);
    expect(isGrantUnused(reporting, { ...unused, agent: STRANGER }, 'expired')).toBe(false);
    expect(isGrantUnused(openTask(), unused, 'expired')).toBe(false);
  });

  it.each([
    ['expired', true],
    ['task_ended', true],
    ['deadline', true],
    ['returned', false],
    ['suspended', false],
    ['amended', false],
    ['operator', false],
    ['approval_withdrawn', false],
    ['vanished', false],
  ] as const)('where it had all its time: %s is %s', (cause, is) =>
    expect(isGrantUnused(reporting, unused, cause)).toBe(is),
  );
});

it('sees an end that was said by who may end the task', () => {
  const by = { id: openTask().declaration?.orchestrator ?? '', keyThumbprint: 'key', ceId: 'ce-9' };
  const task = { ...openTask(), pins: {} };
  const end = decideEnd(task, { taskId: TASK, outcome: 'failed' }, by, { catalogue, nowMs: NOW });
  if (end.is !== 'decided') throw new Error('the end was refused');

  expect(says({}, end.events.reduce(evolve, task))).toEqual(['use_after_end']);
});
