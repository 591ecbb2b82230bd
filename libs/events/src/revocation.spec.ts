import type { EventOf } from './outbound.js';
import {
  causeFor,
  coveredBy,
  hearAbandoned,
  hearGivenUp,
  hearIntended,
  hearIssued,
  hearRenewed,
  makeDue,
  type DoomedLease,
  type Hearing,
  type KnownLease,
  type RevokerLease,
  type Tombstone,
} from './revocation.js';

const TASK = '0192aaaa-0000-7000-8000-000000000001';
const PARENT = '0192aaaa-0000-7000-8000-000000000002';
const LEASE = '0192bbbb-0000-7000-8000-000000000001';
const NOW_MS = Date.parse('2026-11-24T19:00:00.000Z');
const NOW = '2026-11-24T19:00:00.000Z';

const lineage = [
  { taskId: TASK, generation: 2 },
  { taskId: PARENT, generation: 5 },
];
const plan = {
  leaseId: LEASE,
  provider: 'postgres' as const,
  target: 'shop',
  principal: 'mfy_smp_1',
  rights: ['pol_crm_orders_read'],
  createBy: '2026-11-24T19:00:10.000Z',
  notAfter: '2026-11-24T19:02:00.000Z',
  hardEnd: '2026-11-24T19:30:00.000Z',
};
const intended: EventOf<'lease.intended'> = {
  type: 'lease.intended',
  data: {
    ...plan,
    taskId: TASK,
    generation: 2,
    actor: '//mayfly/broker',
    at: NOW,
    callId: '0192cccc-0000-7000-8000-000000000001',
    agent: 'spiffe://corp.example/agent/executor',
    lineage,
  },
};
const outcome = { leaseId: LEASE, taskId: TASK, generation: 2, at: NOW };
const known: KnownLease = {
  leaseId: LEASE,
  taskId: TASK,
  generation: 2,
  agent: 'spiffe://corp.example/agent/executor',
  lineage,
  plan,
  issued: false,
  answered: false,
  state: 'known',
};
const revocation = {
  cause: 'task_ended' as const,
  causedBy: 'ce-end',
  requestedAtMs: NOW_MS - 1_000,
  attempts: 0,
  sessionsEnded: 0,
};
const due: DoomedLease = { ...known, state: 'due', revocation };
const cut: DoomedLease = { ...due, state: 'cut' };
const removed: DoomedLease = { ...due, state: 'removed' };

const ended: Tombstone = { taskId: TASK, generationBelow: null, cause: 'task_ended', causedBy: 'ce-end' };
const parentEnded: Tombstone = { taskId: PARENT, generationBelow: null, cause: 'deadline', causedBy: 'ce-p' };
const hearing = (...tombstones: Tombstone[]): Hearing => ({ tombstones, ceId: 'ce-now', nowMs: NOW_MS });
const requested = (cause: string) => ({
  type: 'lease.revocation_requested',
  data: { leaseId: LEASE, cause, requestedAt: NOW },
});
const nothing = (lease: RevokerLease) => ({ lease, events: [], actAtMs: null });

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

describe.each([
  ['due', due],
  ['cut', cut],
])('a lease that is %s', (_state, lease) => {
  it('keeps its first cause', () => {
    expect(makeDue(lease, { cause: 'expired', causedBy: null }, NOW_MS)).toEqual(nothing(lease));
  });

  it('is looked at again when it is heard to be issued', () => {
    expect(hearIssued(lease, outcome, hearing())).toEqual({
      lease: { ...lease, issued: true, answered: true },
      events: [],
      actAtMs: NOW_MS,
    });
  });

  it('is looked at again when its abandonment brings the answer', () => {
    expect(hearAbandoned(lease, { ...outcome, answered: true }, hearing())).toEqual({
      lease: { ...lease, answered: true },
      events: [],
      actAtMs: NOW_MS,
    });
  });

  it('stays as it is when an abandonment brings nothing new', () => {
    expect(hearAbandoned(lease, { ...outcome, answered: false }, hearing())).toEqual(nothing(lease));
  });
});

describe('a removed lease', () => {
  it('notes that it was issued in its time, when that is read only now: the proof of its removal covers it', () => {
    expect(hearIssued(removed, outcome, hearing())).toEqual(
      nothing({ ...removed, issued: true, answered: true }),
    );
  });

  it.each<[string, DoomedLease, string]>([
    ['after createBy', removed, plan.createBy],
    ['though it was abandoned', { ...removed, revocation: { ...revocation, cause: 'abandoned' } }, NOW],
    ['though its abandonment was read', { ...removed, answered: true }, NOW],
  ])('is cut again with an alarm when it was issued %s: rule 3 is broken', (_, lease, at) => {
    const step = hearIssued(lease, { ...outcome, at }, hearing());
    expect(step.alarm).toBe('issued_after_removal');
    expect(step.lease).toMatchObject({
      state: 'due',
      revocation: { ...lease.revocation, requestedAtMs: NOW_MS },
    });
    expect(step.events).toEqual([requested(lease.revocation.cause)]);
  });

  it('stays removed when an outcome known before is heard again', () => {
    const issued = { ...removed, issued: true, answered: true };
    expect(hearIssued(issued, outcome, hearing())).toEqual(nothing(issued));
  });

  it('notes an abandonment', () => {
    expect(hearAbandoned(removed, { ...outcome, answered: true }, hearing())).toEqual(
      nothing({ ...removed, answered: true }),
    );
  });

  it('is not made due again', () => {
    expect(makeDue(removed, { cause: 'expired', causedBy: null }, NOW_MS)).toEqual(nothing(removed));
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

describe('a renewal that is heard of', () => {
  const LATER = '2026-11-24T19:05:00.000Z';
  const renewed = (notAfter = LATER) => ({ ...outcome, notAfter });
  const until = (notAfter: string) => ({ ...plan, notAfter });

  it('moves the end of a known lease, and is quiet', () => {
    const heard = hearRenewed(known, renewed(), hearing());
    expect(heard).toEqual(nothing({ ...known, plan: until(LATER) }));
    expect(hearRenewed(heard.lease, renewed(), hearing())).toEqual(nothing(heard.lease));
  });

  it('never moves it back, nor past the hard end', () => {
    expect(hearRenewed(known, renewed('2026-11-24T19:01:00.000Z'), hearing()).lease).toBe(known);
    expect(hearRenewed(known, renewed('2026-11-25T00:00:00.000Z'), hearing()).lease.plan).toEqual(
      until(plan.hardEnd),
    );
  });

  it('counts when the intent is heard after it', () => {
    const { lease } = hearRenewed(null, renewed(), hearing());
    const twice = hearRenewed(lease, renewed('2026-11-24T19:03:00.000Z'), hearing()).lease;
    expect(hearIntended(twice, intended, hearing())).toEqual(nothing({ ...known, plan: until(LATER) }));
  });

  it.each([due, cut, removed])('leaves what is $state as it is: only its end is known', (lease) => {
    expect(hearRenewed(lease, renewed(), hearing())).toEqual(nothing({ ...lease, plan: until(LATER) }));
  });

  it('saves nothing from an end that was heard before', () => {
    const { lease } = hearRenewed(null, renewed(), hearing(ended));
    expect(hearIntended(lease, intended, hearing(ended)).lease).toMatchObject({
      state: 'due',
      plan: until(LATER),
    });
  });
});
