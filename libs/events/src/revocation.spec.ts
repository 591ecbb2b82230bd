import {
  due,
  ended,
  hearing,
  intended,
  known,
  LEASE,
  lineage,
  nothing,
  NOW,
  NOW_MS,
  outcome,
  PARENT,
  parentEnded,
  plan,
  requested,
  TASK,
} from '../test/heard-lease.js';
import {
  causeFor,
  coveredBy,
  hearAbandoned,
  hearGivenUp,
  hearIntended,
  hearIssued,
  makeDue,
  type Hearing,
  type Tombstone,
} from './revocation.js';

describe('what a tombstone covers (rule 5)', () => {
  it('covers every lease of an ended task, whatever its generation', () => {
    expect(coveredBy(lineage, [ended])).toBe(ended);
  });

  it('covers a lease through its parent', () => {
    expect(coveredBy(lineage, [parentEnded])).toBe(parentEnded);
    expect(causeFor(known, parentEnded)).toBe('parent_ended');
  });

  it('compares each generation with that of its own task only', () => {
    const below = (taskId: string, generationBelow: number): Tombstone => ({
      ...ended,
      taskId,
      generationBelow,
      cause: 'suspended',
    });
    expect(coveredBy(lineage, [below(TASK, 2)])).toBeNull();
    expect(coveredBy(lineage, [below(TASK, 3)])).not.toBeNull();
    expect(coveredBy(lineage, [below(PARENT, 5)])).toBeNull();
    expect(causeFor(known, below(PARENT, 6))).toBe('suspended');
  });

  it('prefers the end of the task to the end of a generation', () => {
    const suspended: Tombstone = { ...ended, generationBelow: 9, cause: 'suspended' };
    expect(coveredBy(lineage, [suspended, ended])).toBe(ended);
  });

  it('covers nothing of a stranger', () => {
    expect(coveredBy(lineage, [{ ...ended, taskId: '0192aaaa-0000-7000-8000-0000000000ff' }])).toBeNull();
  });
});

describe('an unknown lease', () => {
  it('is known when its intent is heard', () => {
    expect(hearIntended(null, intended, hearing())).toEqual(nothing(known));
  });

  it('is due at once when its intent is heard after the end (rule 5)', () => {
    const step = hearIntended(null, intended, hearing(ended));
    expect(step.lease).toMatchObject({
      state: 'due',
      revocation: { cause: 'task_ended', causedBy: 'ce-end' },
    });
    expect(step.events).toEqual([requested('task_ended')]);
    expect(step.actAtMs).toBe(NOW_MS);
  });

  it('is due at once when its intent is heard after the end of its parent', () => {
    expect(hearIntended(null, intended, hearing(parentEnded)).events).toEqual([requested('parent_ended')]);
  });

  it('is known with its outcome when that is heard first', () => {
    const { lease } = hearIssued(null, outcome, hearing());
    expect(lease).toMatchObject({ state: 'known', plan: null, issued: true, answered: true });
    expect(hearIntended(lease, intended, hearing())).toEqual(
      nothing({ ...known, issued: true, answered: true }),
    );
  });

  it('is due when its outcome is heard after the end', () => {
    expect(hearIssued(null, outcome, hearing(ended)).lease.state).toBe('due');
  });

  it('is due when it is heard of as abandoned, with its outcome noted', () => {
    const { lease, events } = hearAbandoned(null, { ...outcome, answered: true }, hearing());
    expect(lease).toMatchObject({
      state: 'due',
      answered: true,
      revocation: { cause: 'abandoned', causedBy: 'ce-now' },
    });
    expect(events).toEqual([requested('abandoned')]);
  });

  it('takes the plan of an intent heard after its abandonment, and is then worked on', () => {
    const { lease } = hearAbandoned(null, { ...outcome, answered: false }, hearing());
    expect(hearIntended(lease, intended, hearing())).toMatchObject({
      lease: { state: 'due', plan, answered: false },
      events: [],
      actAtMs: NOW_MS,
    });
  });
});

describe('a known lease', () => {
  it('stays as it is when its intent is heard again', () => {
    expect(hearIntended(known, intended, hearing(ended))).toEqual(nothing(known));
  });

  it('notes that it was issued', () => {
    expect(hearIssued(known, outcome, hearing())).toEqual(
      nothing({ ...known, issued: true, answered: true }),
    );
  });

  it('is due when it is abandoned', () => {
    const { lease, events } = hearAbandoned(known, { ...outcome, answered: false }, hearing());
    expect(lease).toMatchObject({ state: 'due', answered: false, revocation: { cause: 'abandoned' } });
    expect(events).toEqual([requested('abandoned')]);
  });

  it.each(['task_ended', 'suspended', 'operator', 'expired'] as const)('is due by %s', (cause) => {
    const step = makeDue(known, { cause, causedBy: null }, NOW_MS);
    expect(step).toEqual({
      lease: {
        ...known,
        state: 'due',
        revocation: { cause, causedBy: null, requestedAtMs: NOW_MS, attempts: 0, sessionsEnded: 0 },
      },
      events: [requested(cause)],
      actAtMs: NOW_MS,
    });
  });
});

describe('a lease that its agent gives back, or whose approval is withdrawn', () => {
  const back: Hearing = { ...hearing(), ceId: 'returned-1' };

  it.each(['returned', 'approval_withdrawn'] as const)('is due at once, for that cause: %s', (cause) => {
    const { lease, events } = hearGivenUp({ ...known, issued: true, answered: true }, outcome, cause, back);
    expect(lease).toMatchObject({
      state: 'due',
      revocation: { cause, causedBy: 'returned-1', requestedAtMs: NOW_MS },
    });
    expect(events).toEqual([
      {
        type: 'lease.revocation_requested',
        data: { leaseId: LEASE, cause, requestedAt: NOW },
      },
    ]);
  });

  it('keeps the cause that it had', () => {
    expect(hearGivenUp(due, outcome, 'returned', back)).toEqual(nothing(due));
  });

  it('is due before its intent is heard, and can be cut from then on', () => {
    const { lease } = hearGivenUp(null, outcome, 'returned', back);
    expect(lease).toMatchObject({ state: 'due', plan: null });
    expect(hearIntended(lease, intended, hearing())).toMatchObject({ lease: { plan }, actAtMs: NOW_MS });
  });
});
