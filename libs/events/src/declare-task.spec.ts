import {
  ANALYST,
  catalogue,
  CHILD,
  codeOfStart as codeOf,
  judge,
  NOW,
  openTask,
  ORCHESTRATOR,
  PLANNER,
  sender,
  start,
  startFacts,
  STRANGER,
  TASK,
} from '../test/fixture.js';
import { decideStart, type StartFacts } from './declare-task.js';
import { taskStarted, type TaskStarted } from './inbound.js';
import { evolve, unknownTask } from './task.js';

const decide = (change: Partial<TaskStarted> = {}, by = ORCHESTRATOR, facts = startFacts()) =>
  decideStart(unknownTask(TASK), start(change), sender(by), facts);

describe('declaring a task', () => {
  it('is accepted from an orchestrator of the catalogue, with generation 1 and its key pinned', () => {
    const task = openTask();

    expect(task).toMatchObject({ status: 'open', generation: 1, version: 1 });
    expect(task.pins).toEqual({ [ORCHESTRATOR]: `key of ${ORCHESTRATOR}` });
    expect(task.declaration).toMatchObject({ agents: [ANALYST], tenant: 'corp', ancestors: [] });
  });

  it('is on behalf of whom the orchestrator gives its word for', () => {
    const decided = decide();
    expect(decided).toMatchObject({ events: [{ data: { principal: { proved: 'asserted' } } }] });
  });

  it('is on behalf of anybody who has signed in', () => {
    const principal = { id: 'user:eve@partner.example', kind: 'human' } as const;
    const by = { ...sender(ORCHESTRATOR), principalProved: true };
    expect(decideStart(unknownTask(TASK), start({ principal }), by, startFacts())).toMatchObject({
      is: 'decided',
      events: [{ data: { principal: { ...principal, proved: 'token' } } }],
    });
  });

  it('takes the limits of the catalogue where it names none', () => {
    expect(openTask({ limits: { maxCalls: 5 } }).declaration?.limits).toEqual({
      maxCalls: 5,
      maxRows: 10_000,
    });
  });

  it('has a limit of calls a minute where it, or else the catalogue, names one', () => {
    const entry = catalogue.orchestrators.get(ORCHESTRATOR);
    if (entry === undefined) throw new Error('the orchestrator of the fixture is missing');
    const usual = { ...entry, limits: { ...entry.limits, maxCallsPerMinute: 30 } };
    const facts = {
      ...startFacts(),
      catalogue: { ...catalogue, orchestrators: new Map([[ORCHESTRATOR, usual]]) },
    };
    const limitsOf = (limits?: TaskStarted['limits'], given: StartFacts = facts) => {
      const decided = decideStart(unknownTask(TASK), start({ limits }), sender(ORCHESTRATOR), given);
      return decided.is === 'decided' && decided.events.reduce(evolve, unknownTask(TASK)).declaration?.limits;
    };

    expect(limitsOf()).toEqual({ maxCalls: 100, maxRows: 10_000, maxCallsPerMinute: 30 });
    expect(limitsOf({ maxCallsPerMinute: 60 })).toMatchObject({ maxCallsPerMinute: 60 });
    expect(limitsOf({ maxCallsPerMinute: 5 }, startFacts())).toMatchObject({ maxCallsPerMinute: 5 });
  });

  it('names no rate beyond the calls of a minute that are counted', () => {
    expect(taskStarted.safeParse(start({ limits: { maxCallsPerMinute: 1_000 } })).success).toBe(true);
    expect(taskStarted.safeParse(start({ limits: { maxCallsPerMinute: 1_001 } })).success).toBe(false);
    expect(taskStarted.safeParse(start({ limits: { maxCalls: 5 } })).success).toBe(true);
  });

  it.each<{ what: string; expected: string; change?: Partial<TaskStarted>; by?: string }>([
    { what: 'a sender who is no orchestrator', expected: 'rejected ERR_NOT_ENTITLED', by: STRANGER },
    {
      what: 'a deadline in the past',
      expected: 'refused ERR_DEADLINE_PAST',
      change: { deadline: new Date(NOW).toISOString() },
    },
    {
      what: 'an agent it may not declare',
      expected: 'refused ERR_NOT_ENTITLED',
      change: { agents: [{ id: STRANGER }] },
    },
    {
      what: 'a dataset nobody knows',
      expected: 'refused ERR_DATASET_UNKNOWN',
      change: { declared: [{ tool: 'sql.query', dataset: 'crm.nothing', actions: ['read'] }] },
    },
    {
      what: 'a tool nobody knows',
      expected: 'refused ERR_TOOL_UNKNOWN',
      change: { declared: [{ tool: 'sql.nothing', dataset: 'crm.orders', actions: ['read'] }] },
    },
    {
      what: 'an action the dataset does not have',
      expected: 'refused ERR_DECLARATION_INVALID',
      change: { declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['drop'] }] },
    },
    {
      what: 'no dataset for a tool that needs one',
      expected: 'refused ERR_DECLARATION_INVALID',
      change: { declared: [{ tool: 'sql.query', actions: ['read'] }] },
    },
    {
      what: 'a declared agent who is not named',
      expected: 'refused ERR_DECLARATION_INVALID',
      change: {
        declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'], agents: [PLANNER] }],
      },
    },
    {
      what: 'a principal of another domain',
      expected: 'refused ERR_NOT_ENTITLED',
      change: { principal: { id: 'user:eve@evil.example', kind: 'human' } },
    },
    {
      what: 'a parent nobody knows',
      expected: 'rejected ERR_PARENT_UNKNOWN',
      change: { parent: { taskId: CHILD } },
    },
  ])('is turned down for $what', ({ expected, change, by }) => {
    expect(codeOf(decide(change, by))).toBe(expected);
  });

  it('is told all that is wrong with it at once', () => {
    const decided = decide({
      deadline: new Date(NOW - 1).toISOString(),
      agents: [{ id: ANALYST }, { id: STRANGER }],
      declared: [
        { tool: 'sql.nothing', dataset: 'crm.nothing', actions: ['read'] },
        { tool: 'sql.query', dataset: 'crm.orders', actions: ['drop', 'read', 'burn'], agents: [PLANNER] },
        { tool: 'sql.query', actions: ['read'] },
      ],
      delegable: [{ tool: 'sql.query', dataset: 'crm.unheard', actions: ['read'] }],
      principal: { id: 'user:eve@evil.example', kind: 'human' },
    });

    expect(decided.is === 'refused' && decided.event.data).toMatchObject({
      code: 'ERR_DEADLINE_PAST',
      problems: [
        { code: 'ERR_DEADLINE_PAST' },
        { code: 'ERR_NOT_ENTITLED', fields: { agent: STRANGER } },
        { code: 'ERR_TOOL_UNKNOWN', fields: { tool: 'sql.nothing' } },
        { code: 'ERR_DATASET_UNKNOWN', fields: { dataset: 'crm.nothing' } },
        { code: 'ERR_DECLARATION_INVALID', fields: { tool: 'sql.query', agent: PLANNER } },
        { code: 'ERR_DECLARATION_INVALID', fields: { dataset: 'crm.orders', action: 'drop' } },
        { code: 'ERR_DECLARATION_INVALID', fields: { dataset: 'crm.orders', action: 'burn' } },
        { code: 'ERR_DECLARATION_INVALID', fields: { tool: 'sql.query' } },
        { code: 'ERR_DATASET_UNKNOWN', fields: { dataset: 'crm.unheard' } },
        { code: 'ERR_NOT_ENTITLED', reason: 'a principal that this orchestrator may not speak for' },
      ],
    });
  });

  it('is turned down when policy forbids it, and the task stays unknown', () => {
    const facts = {
      ...startFacts(),
      judge: judge({ task: { decision: 'deny', code: 'ERR_TASK_FORBIDDEN' } }),
    };

    expect(codeOf(decide({}, ORCHESTRATOR, facts))).toBe('refused ERR_TASK_FORBIDDEN');
  });

  it('that policy forbids names the inputs that were kept of the decision', () => {
    const facts = { ...startFacts(), judge: judge({ task: { decision: 'deny' } }) };
    const decided = decide({}, ORCHESTRATOR, facts);

    expect(decided).toMatchObject({
      event: { data: { inputs: 'sha256:task' } },
      inputs: { digest: 'sha256:task' },
    });
  });

  it('is rejected the second time', () => {
    const again = decideStart(openTask(), start(), sender(ORCHESTRATOR, 'ce-2'), startFacts());

    expect(codeOf(again)).toBe('rejected ERR_TASK_EXISTS');
  });

  it('is rejected for an identity that is in too many tasks already', () => {
    expect(codeOf(decide({}, ORCHESTRATOR, { ...startFacts(), openTasksOfSender: 3 }))).toBe(
      'rejected ERR_IDENTITY_SHARED',
    );
  });

  it('ends at once where an entitled end was heard before', () => {
    const heard = evolve(unknownTask(TASK), {
      type: 'task.end_heard_early',
      data: { ...sender(ORCHESTRATOR, 'ce-0'), outcome: 'cancelled' },
    });

    const decided = decideStart(heard, start(), sender(ORCHESTRATOR), startFacts());

    expect(decided.is === 'decided' && decided.events.map((event) => event.type)).toEqual([
      'task.accepted',
      'task.ended',
    ]);
  });

  it("stays open where the early end was a stranger's", () => {
    const heard = evolve(unknownTask(TASK), {
      type: 'task.end_heard_early',
      data: { ...sender(STRANGER, 'ce-0'), outcome: 'cancelled' },
    });

    const decided = decideStart(heard, start(), sender(ORCHESTRATOR), startFacts());

    expect(decided.is === 'decided' && decided.events.map((event) => event.type)).toEqual(['task.accepted']);
  });
});
