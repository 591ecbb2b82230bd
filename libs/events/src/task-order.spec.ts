import { ANALYST, catalogue, CHILD, NOW, openTask, TASK } from '../test/fixture.js';
import type { Catalogue, OperatorEntry } from './catalogue.js';
import { decideSuspension } from './suspend-task.js';
import { evolve, unknownTask, type Task } from './task.js';
import { decideOrder, type OrderFacts, type TaskOrder } from './task-order.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';
const BOTH = 'user:bo@corp.example';
const MARIA = 'user:maria@corp.example';
const EVE = 'user:eve@corp.example';
const ROBOT = 'spiffe://dev.mayfly/operator/dev';

const people: OperatorEntry[] = [
  { id: OLGA, roles: ['approver'] },
  { id: NADIA, roles: ['operator'] },
  { id: BOTH, roles: ['operator', 'approver'] },
  // For whom the task runs.
  { id: MARIA, roles: ['operator', 'approver'] },
  { id: ROBOT, roles: ['operator', 'approver'] },
  { id: EVE, roles: ['auditor'] },
];
const withPeople: Catalogue = { ...catalogue, operators: new Map(people.map((each) => [each.id, each])) };

const facts = (change: Partial<OrderFacts> = {}): OrderFacts => ({
  catalogue: withPeople,
  ancestors: [],
  mayApprove: () => true,
  nowMs: NOW,
  ...change,
});
const suspended = (...causes: ('operator' | 'drift' | 'parked')[]): Task =>
  causes.reduce(
    (task, cause) => decideSuspension(task, { cause, causedBy: undefined, nowMs: NOW }).reduce(evolve, task),
    openTask(),
  );

/** Nobody has ended it yet. */
function overdue(): Task {
  const task = openTask();
  return { ...task, declaration: { ...task.declaration!, deadlineMs: NOW } };
}

function decided(task: Task, order: Omit<TaskOrder, 'reason'>, change?: Partial<OrderFacts>) {
  const answer = decideOrder(task, { ...order, reason: 'seen' }, facts(change));
  if (answer.is === 'rejected') return answer.refusal.code;
  return answer.events.map(({ type, data }) => `${type} ${data.cause} ${data.generation}`);
}
const suspend = (by: string, task = openTask()) => decided(task, { is: 'suspend', by });
const resume = (by: string, task: Task, change?: Partial<OrderFacts>) =>
  decided(task, { is: 'resume', by }, change);

describe('a suspension', () => {
  it('is a new generation of the task, and says who wanted it and why', () => {
    const answer = decideOrder(openTask(), { is: 'suspend', by: NADIA, reason: 'odd hours' }, facts());

    expect(answer).toEqual({
      is: 'taken',
      events: [
        {
          type: 'task.suspended',
          data: {
            ...{ taskId: TASK, generation: 2, tenant: 'corp', actor: NADIA },
            ...{ at: '2026-11-24T12:00:00.000Z', cause: 'operator', reason: 'odd hours' },
          },
        },
      ],
    });
  });

  it('comes on top of others', () => {
    expect(suspend(NADIA, suspended('drift'))).toEqual(['task.suspended operator 3']);
  });

  it('is quiet the second time', () => {
    expect(suspend(BOTH, suspended('operator'))).toEqual([]);
  });

  it.each([
    ['an approver', OLGA],
    ['an auditor', EVE],
    ['a stranger', 'user:nobody@corp.example'],
    ['a service with the role', ROBOT],
    ['the agent itself', ANALYST],
  ])('is not the word of %s', (_who, by) => {
    expect(suspend(by)).toBe('ERR_NOT_ENTITLED');
  });

  it.each([
    ['not known', unknownTask(TASK), 'ERR_TASK_UNKNOWN'],
    ['over', { ...openTask(), status: 'ended' as const }, 'ERR_TASK_ENDED'],
    ['past its deadline', overdue(), 'ERR_TASK_ENDED'],
    ['over while it was suspended', { ...suspended('operator'), status: 'ended' as const }, 'ERR_TASK_ENDED'],
  ])('of a task that is %s is refused, and so is a resumption', (_what, task, code) => {
    expect(suspend(NADIA, task)).toBe(code);
    expect(resume(BOTH, task)).toBe(code);
  });
});

describe('a resumption', () => {
  it('says who let the task go on, and why', () => {
    const order = { is: 'resume' as const, by: OLGA, reason: 'the report asked for it' };

    expect(decideOrder(suspended('drift'), order, facts())).toMatchObject({
      events: [{ type: 'task.resumed', data: { actor: OLGA, cause: 'drift', reason: order.reason } }],
    });
    expect(decideOrder(suspended('operator'), { ...order, by: NADIA }, facts())).toMatchObject({
      events: [{ type: 'task.resumed', data: { actor: NADIA, cause: 'operator', reason: order.reason } }],
    });
  });

  it.each([
    ['after drift, an approver', ['drift'], OLGA, ['task.resumed drift 2']],
    ['after drift, an operator', ['drift'], NADIA, 'ERR_NOT_ENTITLED'],
    ['after an operator, an operator', ['operator'], NADIA, ['task.resumed operator 2']],
    ['after an operator, an approver', ['operator'], OLGA, 'ERR_NOT_ENTITLED'],
    ['after both, an approver', ['operator', 'drift'], OLGA, ['task.resumed drift 3']],
    ['after both, an operator', ['operator', 'drift'], NADIA, ['task.resumed operator 3']],
    [
      'after both, who is both',
      ['operator', 'drift'],
      BOTH,
      ['task.resumed operator 3', 'task.resumed drift 3'],
    ],
    ['after drift, an auditor', ['drift'], EVE, 'ERR_NOT_ENTITLED'],
    ['after drift, a service with the role', ['drift'], ROBOT, 'ERR_NOT_ENTITLED'],
    ['after drift, for whom the task runs', ['drift'], MARIA, 'ERR_APPROVER_INVOLVED'],
    ['after an operator, for whom the task runs', ['operator'], MARIA, ['task.resumed operator 2']],
    ['while a record is parked', ['parked'], BOTH, 'ERR_TASK_NOT_DRIFTED'],
    ['after drift, while a record is parked', ['drift', 'parked'], OLGA, ['task.resumed drift 3']],
  ] as const)('%s', (_what, causes, by, expected) => {
    expect(resume(by, suspended(...causes))).toEqual(expected);
  });

  it('of a task that is open is quiet', () => {
    expect(resume(OLGA, openTask())).toEqual([]);
    expect(resume(NADIA, openTask())).toEqual([]);
    expect(resume(EVE, openTask())).toBe('ERR_NOT_ENTITLED');
  });

  it('after drift is not the word of who owns an agent of the task, whether that one drifted or not', () => {
    const owned: Catalogue = {
      ...withPeople,
      agents: new Map([...catalogue.agents].map(([id, entry]) => [id, { ...entry, owner: OLGA }])),
    };

    expect(resume(OLGA, suspended('drift'), { catalogue: owned })).toBe('ERR_APPROVER_INVOLVED');
  });

  it('after drift is not the word of for whom an ancestor runs', () => {
    const parent = openTask({ taskId: CHILD, principal: { id: OLGA, kind: 'human' } });

    expect(resume(OLGA, suspended('drift'), { ancestors: [parent] })).toBe('ERR_APPROVER_INVOLVED');
  });

  it('after drift asks policy', () => {
    const mayApprove = (person: string) => person !== OLGA;

    expect(resume(OLGA, suspended('drift'), { mayApprove })).toBe('ERR_NOT_ENTITLED');
    expect(resume(BOTH, suspended('drift'), { mayApprove })).toEqual(['task.resumed drift 2']);
  });
});
