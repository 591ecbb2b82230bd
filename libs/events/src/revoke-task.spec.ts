import { NOW, openTask, TASK } from '../test/fixture.js';
import { decideTaskRevocation } from './revoke-task.js';
import { evolve, unknownTask, type Task } from './task.js';

const NADIA = 'user:nadia@corp.example';
const ordered = (generationBelow: number) => ({
  type: 'revocation.ordered' as const,
  data: {
    ...{ taskId: TASK, generation: 1, actor: NADIA, at: '2026-11-24T12:00:00.000Z' },
    ...{
      orderId: 'order-1',
      scope: 'task' as const,
      subject: TASK,
      by: NADIA,
      reason: 'seen',
      generationBelow,
    },
  },
});
const decide = (task: Task, generationBelow = 2) =>
  decideTaskRevocation(task, ordered(generationBelow), { ceId: 'ce-order', nowMs: NOW });

it('is a new generation, and the task goes on as it was', () => {
  const [event] = decide(openTask());

  expect(event).toEqual({
    type: 'task.revoked',
    data: {
      ...{ taskId: TASK, generation: 2, tenant: 'corp', causedBy: 'ce-order', actor: NADIA },
      ...{ at: '2026-11-24T12:00:00.000Z', orderId: 'order-1', reason: 'seen' },
    },
  });
  expect(event === undefined ? null : evolve(openTask(), event)).toMatchObject({
    ...{ status: 'open', generation: 2, suspendedFor: [] },
  });
});

it('is above what the revoker said, and above all that was lent here', () => {
  expect(decide(openTask(), 9)[0]?.data.generation).toBe(9);
  expect(decide({ ...openTask(), generation: 7 }, 2)[0]?.data.generation).toBe(8);
});

it('leaves a suspended task suspended, and has nothing to do where nothing is lent', () => {
  expect(decide({ ...openTask(), status: 'suspended' })).toHaveLength(1);
  expect(decide({ ...openTask(), status: 'ended' })).toEqual([]);
  expect(decide(unknownTask(TASK))).toEqual([]);
});
