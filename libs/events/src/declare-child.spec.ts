import {
  ANALYST,
  CHILD,
  codeOfStart as codeOf,
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
import { decideStart } from './declare-task.js';
import type { TaskStarted } from './inbound.js';
import { evolve, unknownTask, type Task } from './task.js';

describe('declaring a child', () => {
  const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
  const child = { taskId: CHILD, parent: { taskId: TASK } };
  const declare = (parent: Partial<TaskStarted>, change: Partial<TaskStarted> = {}, by = ANALYST) =>
    decideStart(
      unknownTask(CHILD),
      start({ ...child, ...change }),
      sender(by),
      startFacts([openTask(parent)]),
    );

  it('is accepted from an agent of the parent, inside what may be delegated', () => {
    const decided = declare({ delegable });

    expect(decided.is === 'decided' && decided.events[0]?.data).toMatchObject({
      lineage: [
        { taskId: CHILD, generation: 1 },
        { taskId: TASK, generation: 1 },
      ],
      bounds: ORCHESTRATOR,
    });
  });

  it('is turned down outside of it', () => {
    expect(codeOf(declare({ delegable: [] }))).toBe('refused ERR_NOT_DELEGABLE');
  });

  it.each<{ what: string; change: Partial<TaskStarted>; by?: string; expected: string }>([
    {
      // Or a grandchild, which is measured by the child, would get what the parent never gave.
      what: 'passes on what it was not given itself',
      change: { delegable: [{ tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] }] },
      expected: 'refused ERR_NOT_DELEGABLE',
    },
    { what: 'passes on what it was given', change: { delegable }, expected: 'decided' },
    {
      what: 'is on behalf of somebody else, on the word of an agent',
      change: { principal: { id: 'user:ceo@corp.example', kind: 'human' } },
      expected: 'refused ERR_NOT_ENTITLED',
    },
    {
      what: 'is on behalf of somebody else, on the word of an orchestrator who may give it',
      change: { principal: { id: 'user:ceo@corp.example', kind: 'human' } },
      by: ORCHESTRATOR,
      expected: 'decided',
    },
    {
      what: 'is riskier than its parent',
      change: { risk: 'medium' },
      expected: 'decided',
    },
    {
      what: 'may make more calls than its parent',
      change: { limits: { maxCalls: 6 } },
      expected: 'refused ERR_NOT_DELEGABLE',
    },
    {
      what: 'may read more rows than its parent',
      change: { limits: { maxRows: 10_001 } },
      expected: 'refused ERR_NOT_DELEGABLE',
    },
    {
      what: 'may make more calls a minute than its parent',
      change: { limits: { maxCallsPerMinute: 4 } },
      expected: 'refused ERR_NOT_DELEGABLE',
    },
    {
      what: 'may make as many calls a minute as its parent',
      change: { limits: { maxCallsPerMinute: 3 } },
      expected: 'decided',
    },
  ])('is judged by what its parent may delegate: $what', ({ change, by, expected }) => {
    const limits = { maxCalls: 5, maxCallsPerMinute: 3 };
    expect(codeOf(declare({ delegable, limits }, change, by))).toBe(expected);
  });

  it('is no less risky than its parent', () => {
    expect(codeOf(declare({ delegable, risk: 'medium' }))).toBe('refused ERR_NOT_DELEGABLE');
    expect(codeOf(declare({ delegable, risk: 'medium' }, { risk: 'high' }))).toBe('decided');
  });

  describe('of what its starter may pass on, and not use', () => {
    const coordinated: Partial<TaskStarted> = {
      agents: [{ id: PLANNER }, { id: ANALYST }],
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'], agents: [ANALYST] }],
      delegable,
    };

    it('is accepted for another agent', () => {
      expect(codeOf(declare(coordinated, { agents: [{ id: ANALYST }] }, PLANNER))).toBe('decided');
    });

    it.each<[string, Partial<TaskStarted>]>([
      ['itself', { agents: [{ id: PLANNER }] }],
      ['all agents, itself among them', { agents: [{ id: ANALYST }, { id: PLANNER }] }],
      [
        'itself by name',
        {
          agents: [{ id: ANALYST }, { id: PLANNER }],
          declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'], agents: [PLANNER] }],
        },
      ],
    ])('is turned down for %s', (_who, change) => {
      const decided = declare(coordinated, change, PLANNER);

      expect(decided.is === 'refused' && decided.event.data).toMatchObject({
        code: 'ERR_NOT_DELEGABLE',
        reason: 'who may pass something on may not pass it on to itself',
      });
    });

    it('is turned down for itself below a child of its own, too', () => {
      const parent = openTask(coordinated);
      const child = decideStart(
        unknownTask(CHILD),
        start({ taskId: CHILD, parent: { taskId: TASK }, agents: [{ id: ANALYST }], delegable }),
        sender(PLANNER),
        startFacts([parent]),
      );
      const below = child.is === 'decided' ? child.events.reduce(evolve, unknownTask(CHILD)) : parent;
      const grandchild = decideStart(
        unknownTask('grandchild'),
        start({ taskId: 'grandchild', parent: { taskId: CHILD }, agents: [{ id: PLANNER }] }),
        sender(PLANNER),
        startFacts([below, parent]),
      );

      expect(codeOf(grandchild)).toBe('refused ERR_NOT_DELEGABLE');
    });
  });

  it('has the limits of its parent where it names none', () => {
    const decided = declare({ delegable, limits: { maxCalls: 5, maxCallsPerMinute: 3 } });

    expect(decided.is === 'decided' && decided.events[0]?.data).toMatchObject({
      limits: { maxCalls: 5, maxRows: 10_000, maxCallsPerMinute: 3 },
    });
  });

  it('is turned down below too many ancestors', () => {
    const parent = openTask({ delegable });
    const chain = (length: number) =>
      decideStart(
        unknownTask(CHILD),
        start(child),
        sender(ANALYST),
        startFacts(Array<Task>(length).fill(parent)),
      );

    expect(codeOf(chain(16))).toBe('decided');
    expect(codeOf(chain(17))).toBe('refused ERR_DELEGATION_TOO_DEEP');
  });

  it('is rejected from somebody who has no part in the parent', () => {
    expect(codeOf(declare({ delegable }, {}, STRANGER))).toBe('rejected ERR_NOT_ENTITLED');
  });

  it('may not outlive its parent', () => {
    const later = { deadline: new Date(NOW + 7_200_000).toISOString() };

    expect(codeOf(declare({ delegable }, later))).toBe('refused ERR_DECLARATION_INVALID');
  });

  it('is turned down once its parent has ended', () => {
    const ended = { ...openTask({ delegable }), status: 'ended' as const };

    const decided = decideStart(unknownTask(CHILD), start(child), sender(ANALYST), startFacts([ended]));

    expect(codeOf(decided)).toBe('refused ERR_PARENT_ENDED');
  });

  it('is refused while its parent is suspended', () => {
    const suspended = { ...openTask({ delegable }), status: 'suspended' as const };

    const decided = decideStart(unknownTask(CHILD), start(child), sender(ANALYST), startFacts([suspended]));

    expect(codeOf(decided)).toBe('refused ERR_TASK_SUSPENDED');
  });
});
