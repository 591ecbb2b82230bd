import {
  cut,
  due,
  hearing,
  nothing,
  NOW,
  NOW_MS,
  outcome,
  plan,
  removed,
  requested,
  revocation,
} from '../test/heard-lease.js';
import { hearAbandoned, hearIssued, makeDue, type DoomedLease } from './revocation.js';

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
