import {
  ANALYST,
  catalogue,
  NOW,
  openTask,
  OPERATOR,
  ORCHESTRATOR,
  sender,
  STRANGER,
  TASK,
} from '../test/fixture.js';
import { decideDeadline, decideEnd, decideEndWithParent } from './end-task.js';
import { evolve, unknownTask, type Task } from './task.js';

const decide = (task: Task, by: string, key?: string) =>
  decideEnd(task, { taskId: TASK, outcome: 'completed' }, sender(by, 'ce-2', key), {
    catalogue,
    nowMs: NOW,
  });

describe('ending a task', () => {
  it.each([
    ['its orchestrator', ORCHESTRATOR],
    ['an operator', OPERATOR],
  ])('is done by %s', (_who, by) => {
    const decided = decide(openTask(), by);

    expect(decided).toMatchObject({
      is: 'decided',
      events: [{ type: 'task.ended', data: { outcome: 'completed', actor: by, causedBy: 'ce-2' } }],
    });
  });

  it('is done by an agent only where the declaration says so', () => {
    expect(decide(openTask(), ANALYST)).toMatchObject({ refusal: { code: 'ERR_NOT_ENTITLED' } });
    expect(decide(openTask({ agentsMayEnd: true }), ANALYST)).toMatchObject({ is: 'decided' });
  });

  it('is rejected from a stranger', () => {
    expect(decide(openTask(), STRANGER)).toMatchObject({ refusal: { code: 'ERR_NOT_ENTITLED' } });
  });

  it('is rejected with another key than the pinned one', () => {
    expect(decide(openTask(), ORCHESTRATOR, 'another key')).toMatchObject({
      refusal: { code: 'ERR_KEY_CHANGED' },
    });
  });

  it('needs no resumption before', () => {
    expect(decide({ ...openTask(), status: 'suspended' }, ORCHESTRATOR)).toMatchObject({
      events: [{ type: 'task.ended', data: { outcome: 'completed' } }],
    });
  });

  it('changes nothing the second time', () => {
    const ended = { ...openTask(), status: 'ended' as const };

    expect(decide(ended, ORCHESTRATOR)).toEqual({ is: 'decided', events: [] });
  });

  it('is remembered for a task not known yet, once for each sender', () => {
    const first = decide(unknownTask(TASK), ANALYST);
    if (first.is !== 'decided') throw new Error('the end of the analyst was not remembered');
    const task = first.events.reduce(evolve, unknownTask(TASK));

    expect(task.earlyEnds).toMatchObject([{ id: ANALYST, outcome: 'completed' }]);
    expect(decide(task, ANALYST)).toEqual({ is: 'decided', events: [] });
    expect(decide(task, ORCHESTRATOR)).toMatchObject({ events: [{ type: 'task.end_heard_early' }] });
  });

  it('of a task not known yet is rejected from a stranger, who could only crowd out others', () => {
    expect(decide(unknownTask(TASK), STRANGER)).toMatchObject({ refusal: { code: 'ERR_NOT_ENTITLED' } });
  });

  it('is remembered of so many senders only', () => {
    const early = Array.from({ length: 32 }, (_, n) => ({
      ...sender(`${ANALYST}/${n}`),
      outcome: 'completed' as const,
    }));

    expect(decide({ ...unknownTask(TASK), earlyEnds: early }, ORCHESTRATOR)).toEqual({
      is: 'decided',
      events: [],
    });
  });
});

describe('the deadline', () => {
  it('ends an open task, and no other', () => {
    const task = openTask({ deadline: new Date(NOW + 1_000).toISOString() });

    expect(decideDeadline(task, NOW + 999)).toEqual([]);
    expect(decideDeadline(task, NOW + 1_000)).toMatchObject([{ data: { outcome: 'deadline' } }]);
    expect(decideDeadline({ ...task, status: 'ended' }, NOW + 1_000)).toEqual([]);
  });
});

describe('the end of an ancestor', () => {
  const over = { ...openTask(), status: 'ended' as const };
  const suspended = { ...openTask(), status: 'suspended' as const };

  it('ends a task under way, suspended or not, and no other', () => {
    for (const task of [openTask(), suspended])
      expect(decideEndWithParent(task, [openTask(), over], NOW)).toMatchObject([
        { type: 'task.ended', data: { outcome: 'parent_ended', actor: '//mayfly/broker' } },
      ]);
    for (const task of [over, unknownTask(TASK)]) expect(decideEndWithParent(task, [over], NOW)).toEqual([]);
    expect(decideEndWithParent(openTask(), [openTask(), suspended], NOW)).toEqual([]);
  });
});
