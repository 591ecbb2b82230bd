import {
  ANALYST,
  call,
  callFacts,
  CHILD,
  judge,
  NOW,
  OPERATOR,
  openTask,
  ORCHESTRATOR,
  PLANNER,
  sender,
  start,
  startFacts,
  STRANGER,
  TASK,
} from '../test/fixture.js';
import { decideAmendment } from './amend-task.js';
import { pinRefusal } from './entitlement.js';
import { decideCall } from './call.js';
import { decideStart } from './declare-task.js';
import type { TaskAmended } from './inbound.js';
import { decideOutcome, leaseOf } from './lease.js';
import { decideSuspension } from './suspend-task.js';
import { evolve, unknownTask, type Task } from './task.js';
import type { Judge } from './verdict.js';

const SALARIES = [{ tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] }];
const in2h = new Date(NOW + 7_200_000).toISOString();

const decide = (change: Partial<TaskAmended>, task = openTask(), by = ORCHESTRATOR, facts = startFacts()) =>
  decideAmendment(task, { taskId: TASK, ...change }, sender(by, 'ce-2'), facts);

const codeOf = (decided: ReturnType<typeof decide>) =>
  decided.is === 'rejected'
    ? `rejected ${decided.refusal.code}`
    : decided.is === 'refused'
      ? `refused ${decided.event.data.code}`
      : 'decided';

function amended(change: Partial<TaskAmended>, task = openTask()): Task {
  const decided = decide(change, task);
  if (decided.is !== 'decided') throw new Error('the amendment was refused');
  return decided.events.reduce(evolve, task);
}

describe('an amendment', () => {
  it('is a new declaration with a new generation, and says the whole of it', () => {
    const decided = decide({ declared: SALARIES, deadline: in2h, reason: 'salaries after all' });

    expect(decided).toMatchObject({
      is: 'decided',
      events: [
        {
          type: 'task.amended',
          data: {
            taskId: TASK,
            generation: 2,
            causedBy: 'ce-2',
            cause: 'amended',
            orchestrator: ORCHESTRATOR,
            agents: [ANALYST],
            declared: SALARIES,
            deadline: in2h,
            risk: 'low',
            lineage: [{ taskId: TASK, generation: 2 }],
            policySet: 'sha256:policy',
            policies: ['declare.sample'],
            inputs: 'sha256:task',
            reason: 'salaries after all',
          },
        },
      ],
      inputs: { digest: 'sha256:task' },
    });
    expect(amended({ declared: SALARIES })).toMatchObject({
      status: 'open',
      generation: 2,
      declaration: { declared: SALARIES, deadlineMs: NOW + 3_600_000, purpose: start().purpose },
    });
  });

  it('is asked of policy with what is to be', () => {
    const asked: unknown[] = [];
    const yes = judge();
    const asks: Judge['decideTask'] = (question) => {
      asked.push(question);
      return yes.decideTask(question);
    };
    const facts = { ...startFacts(), judge: { ...yes, decideTask: asks } };
    decide({ declared: SALARIES, deadline: in2h }, openTask(), ORCHESTRATOR, facts);

    expect(asked).toMatchObject([{ declared: SALARIES, task: { deadlineMs: NOW + 7_200_000 } }]);
  });

  it('widens no limit', () => {
    const limits = { maxCalls: 5, maxRows: 50, maxCallsPerMinute: 3 };
    const wider = { taskId: TASK, declared: SALARIES, limits: { maxCallsPerMinute: 900 } };

    expect(amended(wider, openTask({ limits })).declaration?.limits).toEqual(limits);
  });

  it('is refused when policy forbids it, and nothing is changed', () => {
    const facts = { ...startFacts(), judge: judge({ task: { decision: 'deny' } }) };
    const decided = decide({ declared: SALARIES }, openTask(), ORCHESTRATOR, facts);

    expect(decided).toMatchObject({
      is: 'refused',
      event: {
        type: 'task.amendment_refused',
        data: { code: 'ERR_TASK_FORBIDDEN', generation: 1, inputs: 'sha256:task', causedBy: 'ce-2' },
      },
    });
  });

  it('is told all that is wrong with it at once', () => {
    const decided = decide({
      declared: [
        { tool: 'sql.nothing', dataset: 'crm.nothing', actions: ['read'] },
        { tool: 'sql.query', dataset: 'crm.orders', actions: ['drop'], agents: [PLANNER] },
      ],
      deadline: new Date(NOW).toISOString(),
      rekey: STRANGER,
    });

    expect(decided.is === 'refused' && decided.event.data.problems?.map(({ code }) => code)).toEqual([
      'ERR_AGENT_NOT_NAMED',
      'ERR_DEADLINE_PAST',
      'ERR_TOOL_UNKNOWN',
      'ERR_DATASET_UNKNOWN',
      'ERR_DECLARATION_INVALID',
      'ERR_DECLARATION_INVALID',
    ]);
  });

  it.each<{ what: string; expected: string; change?: Partial<TaskAmended>; task?: Task; by?: string }>([
    { what: 'a task nobody knows', expected: 'rejected ERR_TASK_UNKNOWN', task: unknownTask(TASK) },
    { what: 'an agent', expected: 'rejected ERR_NOT_ENTITLED', by: ANALYST },
    { what: 'a stranger', expected: 'rejected ERR_NOT_ENTITLED', by: STRANGER },
    { what: 'an operator', expected: 'rejected ERR_NOT_ENTITLED', by: OPERATOR },
    {
      what: 'its orchestrator with another key',
      expected: 'rejected ERR_KEY_CHANGED',
      task: { ...openTask(), pins: { [ORCHESTRATOR]: 'another' } },
    },
    {
      what: 'a task that has ended',
      expected: 'refused ERR_TASK_ENDED',
      task: { ...openTask(), status: 'ended' },
    },
    { what: 'nothing', expected: 'refused ERR_DECLARATION_INVALID', change: {} },
    { what: 'itself, re-keyed', expected: 'refused ERR_AGENT_NOT_NAMED', change: { rekey: ORCHESTRATOR } },
  ])('is turned down for $what', ({ expected, change = { deadline: in2h }, task, by }) => {
    expect(codeOf(decide(change, task, by))).toBe(expected);
  });

  it('is refused at the deadline, though nobody has ended the task yet', () => {
    const facts = { ...startFacts(), nowMs: NOW + 3_600_000 };
    expect(codeOf(decide({ deadline: in2h }, openTask(), ORCHESTRATOR, facts))).toBe(
      'refused ERR_TASK_ENDED',
    );
  });

  it('reaches a suspended task, which stays suspended', () => {
    const suspension = { cause: 'parked' as const, causedBy: undefined, nowMs: NOW };
    const suspended = decideSuspension(openTask(), suspension).reduce(evolve, openTask());

    expect(amended({ declared: SALARIES }, suspended)).toMatchObject({
      status: 'suspended',
      generation: 3,
      suspendedFor: ['parked'],
    });
  });

  it('kills a lease whose outcome is decided after it', () => {
    const before = openTask();
    const decided = decideCall(call(), sender(ANALYST), callFacts({ task: before }));
    if (decided.is !== 'decided' || decided.intended === null) throw new Error('no intent');
    const lease = leaseOf(decided.intended);
    const after = amended({ deadline: in2h }, before);

    expect(decideOutcome({ lease, answer: 'created', chain: [after], nowMs: NOW })).toEqual({
      issued: false,
      answered: true,
      why: 'generation_changed',
    });
  });
});

describe('an amendment of a child', () => {
  const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
  const parent = openTask({
    agents: [{ id: PLANNER }, { id: ANALYST }],
    declared: [{ ...delegable[0]!, agents: [ANALYST] }],
    delegable,
  });
  const declaration = start({
    taskId: CHILD,
    parent: { taskId: TASK },
    agents: [{ id: PLANNER }, { id: ANALYST }],
    declared: [{ ...delegable[0]!, agents: [ANALYST] }],
  });
  const started = decideStart(unknownTask(CHILD), declaration, sender(PLANNER), startFacts([parent]));
  const child = started.is === 'decided' ? started.events.reduce(evolve, unknownTask(CHILD)) : parent;
  const amend = (change: Partial<TaskAmended>, parentNow: Task = parent) =>
    decideAmendment(child, { taskId: CHILD, ...change }, sender(PLANNER), startFacts([parentNow]));

  it.each<[string, Partial<TaskAmended>, string]>([
    ['outside of what its parent may delegate', { declared: SALARIES }, 'refused ERR_NOT_DELEGABLE'],
    ['so that it outlives its parent', { deadline: in2h }, 'refused ERR_DECLARATION_INVALID'],
    [
      'so that who started it gets what it may only pass on',
      { declared: delegable },
      'refused ERR_NOT_DELEGABLE',
    ],
    ['in bounds', { deadline: new Date(NOW + 60_000).toISOString() }, 'decided'],
  ])('is measured like its start: %s', (_what, change, expected) => {
    expect(codeOf(amend(change))).toBe(expected);
  });

  it('has the present generations of its ancestors', () => {
    const decided = amend({ rekey: ANALYST }, amended({ deadline: in2h }, parent));

    expect(decided.is === 'decided' && decided.events[0]?.data).toMatchObject({
      lineage: [
        { taskId: CHILD, generation: 2 },
        { taskId: TASK, generation: 2 },
      ],
    });
  });

  it.each([
    ['ended', 'refused ERR_PARENT_ENDED'],
    ['suspended', 'refused ERR_TASK_SUSPENDED'],
  ] as const)('is refused where its parent is %s', (status, expected) => {
    expect(codeOf(amend({ rekey: ANALYST }, { ...parent, status }))).toBe(expected);
  });
});

describe('re-keying', () => {
  const pinned = { ...openTask(), pins: { ...openTask().pins, [ANALYST]: 'first' } };

  it('is an amendment of its own cause, after which the next key of the agent counts', () => {
    expect(decide({ rekey: ANALYST }, pinned)).toMatchObject({
      events: [{ data: { cause: 'rekeyed', rekeyed: ANALYST, generation: 2, declared: start().declared } }],
    });
    expect(pinRefusal(amended({ rekey: ANALYST }, pinned), ANALYST, 'second')).toBeNull();
  });

  it('never takes the former key again, whoever comes first', () => {
    const once = amended({ rekey: ANALYST }, pinned);
    const twice = amended({ rekey: ANALYST }, { ...once, pins: { ...once.pins, [ANALYST]: 'second' } });

    for (const key of ['first', 'second'])
      expect(pinRefusal(twice, ANALYST, key)).toMatchObject({ code: 'ERR_KEY_CHANGED' });
  });

  it('beside a change of the declaration is an amendment', () => {
    expect(decide({ rekey: ANALYST, declared: SALARIES }, pinned)).toMatchObject({
      events: [{ data: { cause: 'amended', rekeyed: ANALYST } }],
    });
  });

  it('does not make the agent count as in one task more', () => {
    const by = sender(ANALYST, 'ce-3', 'second');
    const facts = callFacts({ task: amended({ rekey: ANALYST }, pinned), openTasksOfSender: 3 });

    expect(decideCall(call(), by, facts).is).toBe('decided');
  });

  it('is nothing that a sender does to itself', () => {
    const own = openTask({ agents: [{ id: ANALYST }] });
    const task = { ...own, declaration: { ...own.declaration!, agents: [ANALYST, ORCHESTRATOR] } };
    const decided = decide({ rekey: ORCHESTRATOR }, task);

    expect(decided.is === 'refused' && decided.event.data).toMatchObject({
      code: 'ERR_DECLARATION_INVALID',
      reason: 'nobody re-keys itself',
    });
  });
});
