import { NOW, openTask, TASK } from '../test/fixture.js';
import { decideDeadline } from './end-task.js';
import { decideResumption, decideSuspension } from './suspend-task.js';
import { evolve, unknownTask, type Task } from './task.js';

const parked = { cause: 'parked' as const, causedBy: 'ce-7', nowMs: NOW };
const suspend = (task: Task) => decideSuspension(task, parked).reduce(evolve, task);
const resume = (task: Task) => decideResumption(task, parked).reduce(evolve, task);

describe('a suspension', () => {
  it('is a new generation of the task, and says what led to it', () => {
    expect(decideSuspension(openTask(), parked)).toEqual([
      {
        type: 'task.suspended',
        data: {
          taskId: TASK,
          generation: 2,
          tenant: 'corp',
          causedBy: 'ce-7',
          actor: '//mayfly/broker',
          at: '2026-11-24T12:00:00.000Z',
          cause: 'parked',
        },
      },
    ]);
    expect(suspend(openTask())).toMatchObject({ status: 'suspended', generation: 2, version: 2 });
  });

  it('happens once for one cause', () => {
    expect(decideSuspension(suspend(openTask()), parked)).toEqual([]);
  });

  it('does nothing to a task that is not known, or over', () => {
    expect(decideSuspension(unknownTask(TASK), parked)).toEqual([]);
    expect(decideSuspension({ ...openTask(), status: 'ended' }, parked)).toEqual([]);
    expect(decideSuspension({ ...suspend(openTask()), status: 'ended' }, parked)).toEqual([]);
  });

  it('does not outlive the deadline', () => {
    const task = suspend(openTask({ deadline: new Date(NOW + 1_000).toISOString() }));

    expect(decideDeadline(task, NOW + 999)).toEqual([]);
    expect(decideDeadline(task, NOW + 1_000)).toMatchObject([
      { data: { outcome: 'deadline', generation: 2 } },
    ]);
  });
});

describe('a resumption', () => {
  it('opens the task in the generation of its suspension, so that no lease from before comes back', () => {
    expect(decideResumption(suspend(openTask()), parked)).toMatchObject([
      { type: 'task.resumed', data: { taskId: TASK, generation: 2, causedBy: 'ce-7', cause: 'parked' } },
    ]);
    expect(resume(suspend(openTask()))).toMatchObject({ status: 'open', generation: 2, suspendedFor: [] });
  });

  it('does nothing to a task that is open, not known, or over', () => {
    expect(decideResumption(openTask(), parked)).toEqual([]);
    expect(decideResumption(unknownTask(TASK), parked)).toEqual([]);
    expect(decideResumption({ ...suspend(openTask()), status: 'ended' }, parked)).toEqual([]);
  });

  it('may be followed by another suspension, which is another generation', () => {
    expect(suspend(resume(suspend(openTask())))).toMatchObject({ status: 'suspended', generation: 3 });
  });
});
