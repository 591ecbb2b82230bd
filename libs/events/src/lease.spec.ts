import {
  ANALYST,
  CALL,
  callFacts,
  call,
  CHILD,
  LEASE,
  NOW,
  openTask,
  sender,
  start,
  TASK,
} from '../test/fixture.js';
import { decideCall } from './call.js';
import { decideOutcome, evolveLease, leaseOf, type Lease, type OutcomeFacts } from './lease.js';

function intended(): Lease {
  const result = decideCall(call(), sender(ANALYST), callFacts());
  if (result.is !== 'decided' || result.intended === null) throw new Error('the fixture was denied');
  return leaseOf(result.intended);
}

const decide = (change: Partial<OutcomeFacts> = {}) =>
  decideOutcome({ lease: intended(), answer: 'created', chain: [openTask()], nowMs: NOW + 5, ...change });

describe('the outcome of a lease (rule 3)', () => {
  it('is issued while everything is as it was at the intent', () => {
    expect(decide()).toEqual({ issued: true });
  });

  it.each<[string, Partial<OutcomeFacts>, { answered: boolean; why: string }]>([
    ['nobody answered', { answer: 'none' }, { answered: false, why: 'no_answer' }],
    ['it was never sent', { answer: 'unsent' }, { answered: true, why: 'not_sent' }],
    ['the target refused', { answer: 'refused' }, { answered: true, why: 'target_refused' }],
    ['the target was busy', { answer: 'busy' }, { answered: true, why: 'target_busy' }],
    ['it was too late to create it', { answer: 'late' }, { answered: true, why: 'too_late' }],
    [
      'a revocation was heard',
      { lease: { ...intended(), cutHeard: true } },
      { answered: true, why: 'cut_heard' },
    ],
    [
      'its agent is revoked',
      { standing: { generation: 1, revoked: true } },
      { answered: true, why: 'agent_revoked' },
    ],
    [
      'its agent was revoked and reinstated since',
      { standing: { generation: 1, revoked: false } },
      { answered: true, why: 'agent_revoked' },
    ],
    [
      'the task has ended',
      { chain: [{ ...openTask(), status: 'ended' }] },
      { answered: true, why: 'task_not_live' },
    ],
    [
      'the task is suspended',
      { chain: [{ ...openTask(), status: 'suspended', generation: 2 }] },
      { answered: true, why: 'task_suspended' },
    ],
    ['the task is not known any more', { chain: [] }, { answered: true, why: 'task_not_live' }],
    [
      'the generation has grown: a suspension and a resume lie between',
      { chain: [{ ...openTask(), generation: 2 }] },
      { answered: true, why: 'generation_changed' },
    ],
    ["the database's clock is at createBy", { nowMs: NOW + 10_000 }, { answered: true, why: 'too_late' }],
    [
      'it was decided before',
      { lease: { ...intended(), state: 'abandoned' } },
      { answered: true, why: 'already_decided' },
    ],
  ])('is abandoned when %s', (_when, change, expected) => {
    expect(decide(change)).toEqual({ issued: false, ...expected });
  });

  it('is abandoned when an ancestor has ended meanwhile', () => {
    const parent = openTask({ delegable: start().declared });
    const child = openTask({ taskId: CHILD, parent: { taskId: TASK } }, [parent]);
    const lease = {
      ...intended(),
      lineage: [
        { taskId: CHILD, generation: 1 },
        { taskId: TASK, generation: 1 },
      ],
    };

    expect(decide({ lease, chain: [child, parent] })).toEqual({ issued: true });
    expect(decide({ lease, chain: [child, { ...parent, status: 'ended' }] })).toMatchObject({
      why: 'task_not_live',
    });
    expect(decide({ lease, chain: [child, { ...parent, status: 'suspended' }] })).toMatchObject({
      why: 'task_suspended',
    });
    expect(decide({ lease, chain: [child, { ...parent, generation: 2 }] })).toMatchObject({
      why: 'generation_changed',
    });
  });
});

describe('a lease', () => {
  it('remembers that a revocation was heard, whatever its state', () => {
    const heard = evolveLease(intended(), {
      type: 'lease.revocation_requested',
      data: {
        taskId: TASK,
        generation: 1,
        actor: '//mayfly/revoker',
        at: '',
        leaseId: LEASE,
        cause: 'task_ended',
        requestedAt: '',
      },
    });

    expect(heard).toMatchObject({ state: 'intended', cutHeard: true, callId: CALL });
  });
});
