import { reportsUnproven } from './backoff.js';
import {
  afterClean,
  afterCut,
  proofReady,
  type CutAttempt,
  type Sighting,
  type TargetRules,
} from './cut-proof.js';
import type { DoomedLease } from './revocation.js';

const TASK = '0192aaaa-0000-7000-8000-000000000001';
/** Of the last eight digits comes the jitter of its retries: here there is none. */
const LEASE = '0192bbbb-0000-7000-8000-000080000000';
const ms = (time: string) => Date.parse(`2026-11-24T${time}Z`);
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
const due: DoomedLease & { plan: typeof plan } = {
  leaseId: LEASE,
  taskId: TASK,
  generation: 1,
  lineage: [{ taskId: TASK, generation: 1 }],
  plan,
  issued: true,
  answered: false,
  state: 'due',
  revocation: {
    cause: 'task_ended',
    causedBy: 'ce-end',
    requestedAtMs: ms('19:00:05.000'),
    attempts: 0,
    sessionsEnded: 0,
  },
};
const fenced: TargetRules = { fencing: 'fenced', maxClockSkewMs: 2_000 };
const timed: TargetRules = { fencing: 'timed', maxClockSkewMs: 2_000 };
const unrecallable: TargetRules = { fencing: 'unrecallable', maxClockSkewMs: 2_000 };

const sighting = (state: Sighting['state'], over: Partial<Sighting> = {}): Sighting => ({
  state,
  atMs: ms('19:00:05.011'),
  incarnation: 'server-1',
  nodes: { seen: 1, expected: 1 },
  ...over,
});
const attempt = (
  observation: Sighting,
  emptyObservations = 2,
  startedAtMs = ms('19:00:05.001'),
): CutAttempt => ({
  startedAtMs,
  endedAtMs: startedAtMs + 11,
  report: { observation, emptyObservations, sessionsEnded: 1 },
});
const withAttempts = (attempts: number): DoomedLease => ({
  ...due,
  revocation: { ...due.revocation, attempts },
});

describe('when an observation proves something (rules 7 and 12)', () => {
  it('is at once at a fenced target', () => {
    expect(proofReady('fenced', due, 0, 2_000)).toBe(true);
  });

  it('is after createBy and the skew at a timed target whose answer nobody heard', () => {
    expect(proofReady('timed', due, ms('19:00:11.999'), 2_000)).toBe(false);
    expect(proofReady('timed', due, ms('19:00:12.000'), 2_000)).toBe(true);
  });

  it('is at once at a timed target whose answer was heard', () => {
    expect(proofReady('timed', { ...due, answered: true }, 0, 2_000)).toBe(true);
  });

  it('is at the native expiry and the skew for what cannot be recalled', () => {
    expect(proofReady('unrecallable', due, ms('19:30:01.999'), 2_000)).toBe(false);
    expect(proofReady('unrecallable', due, ms('19:30:02.000'), 2_000)).toBe(true);
  });
});

describe('a due lease whose target was cut', () => {
  it.each(['absent', 'disabled'] as const)('is cut once it was seen %s twice', (state) => {
    const step = afterCut(due, attempt(sighting(state)), fenced);
    expect(step.lease.state).toBe('cut');
    expect(step.actAtMs).toBe(ms('19:00:05.012'));
    expect(step.events).toEqual([
      {
        type: 'lease.access_cut',
        data: {
          leaseId: LEASE,
          cause: 'task_ended',
          evidence: {
            state,
            sessionsEnded: 1,
            observations: 2,
            incarnation: 'server-1',
            nodes: { seen: 1, expected: 1 },
          },
          requestedAt: '2026-11-24T19:00:05.000Z',
          cutAt: '2026-11-24T19:00:05.011Z',
          exposureMs: 11,
        },
      },
    ]);
  });

  it('is cut again while it is live', () => {
    const step = afterCut(due, attempt(sighting('live'), 0), fenced);
    expect(step).toMatchObject({ lease: { state: 'due', revocation: { attempts: 1 } }, events: [] });
    expect(step.actAtMs).toBe(ms('19:00:05.062'));
  });

  it('is not proven by one empty observation', () => {
    expect(afterCut(due, attempt(sighting('absent'), 1), fenced).lease.state).toBe('due');
  });

  it('is not proven while a node was not seen', () => {
    const partly = sighting('absent', { nodes: { seen: 1, expected: 2 } });
    expect(afterCut(due, attempt(partly), fenced).lease.state).toBe('due');
  });

  it('waits at a timed target for the condition, and counts that as no failure', () => {
    const step = afterCut(due, attempt(sighting('absent')), timed);
    expect(step).toMatchObject({ lease: { state: 'due', revocation: { attempts: 0 } }, events: [] });
    expect(step.actAtMs).toBe(ms('19:00:12.000'));
  });

  it('is proven at a timed target only by an attempt that began after the condition held', () => {
    const late = attempt(sighting('absent', { atMs: ms('19:00:12.010') }), 2, ms('19:00:12.000'));
    expect(afterCut(due, late, timed).lease.state).toBe('cut');
  });

  it('says once that it cannot be recalled, and until when it may exist', () => {
    const step = afterCut(due, attempt(sighting('absent')), unrecallable);
    expect(step.events).toMatchObject([
      { type: 'lease.revocation_unproven', data: { attempts: 1, mayExistUntil: plan.hardEnd } },
    ]);
    expect(step.actAtMs).toBe(ms('19:30:02.000'));
    expect(afterCut(step.lease, attempt(sighting('absent')), unrecallable).events).toEqual([]);
  });

  it('stays cut when a second revoker reports late', () => {
    const cut: DoomedLease = { ...due, state: 'cut' };
    expect(afterCut(cut, attempt(sighting('live'), 0), fenced)).toEqual({
      lease: cut,
      events: [],
      actAtMs: null,
    });
  });
});

describe('an unproven revocation', () => {
  const failed: CutAttempt = {
    startedAtMs: ms('19:00:06.000'),
    endedAtMs: ms('19:00:06.100'),
    failed: 'ERR_TARGET_UNREACHABLE',
  };

  it('is told after the third failed attempt', () => {
    expect(afterCut(withAttempts(1), failed, fenced).events).toEqual([]);
    expect(afterCut(withAttempts(2), failed, fenced).events).toEqual([
      {
        type: 'lease.revocation_unproven',
        data: {
          leaseId: LEASE,
          cause: 'task_ended',
          attempts: 3,
          since: '2026-11-24T19:00:05.000Z',
          exposureMs: 1_100,
          mayExistUntil: plan.hardEnd,
          code: 'ERR_TARGET_UNREACHABLE',
        },
      },
    ]);
  });

  it('is told ever more seldom', () => {
    const told = Array.from({ length: 100 }, (_, i) => i).filter(reportsUnproven);
    expect(told).toEqual([3, 6, 12, 24, 48, 96]);
  });

  it('is retried for ever, in the end each five minutes', () => {
    expect(afterCut(withAttempts(1_000), failed, fenced).actAtMs).toBe(ms('19:05:06.100'));
  });

  it('is not retried at one moment with all that failed with it', () => {
    const leases = ['00000000', '40000000', 'c0000000'].map((end) => ({
      ...withAttempts(1_000),
      leaseId: `0192bbbb-0000-7000-8000-0000${end}`,
    }));
    expect(leases.map((lease) => afterCut(lease, failed, fenced).actAtMs)).toEqual([
      ms('19:03:51.100'),
      ms('19:04:28.600'),
      ms('19:05:43.600'),
    ]);
  });

  it('ends when the target is back: exposure counts from the first request', () => {
    const back = attempt(sighting('absent', { atMs: ms('19:05:05.000') }), 2, ms('19:05:04.990'));
    const { lease, events } = afterCut(withAttempts(40), back, fenced);
    expect(lease).toMatchObject({ state: 'cut', revocation: { attempts: 0 } });
    expect(events).toMatchObject([{ type: 'lease.access_cut', data: { exposureMs: 300_000 } }]);
  });
});

describe('a cut lease that was cleaned', () => {
  const cut: DoomedLease = { ...due, state: 'cut' };
  const endedAtMs = ms('19:00:05.020');

  it('is removed when it is seen absent', () => {
    const step = afterClean(cut, { endedAtMs, observation: sighting('absent') });
    expect(step.lease.state).toBe('removed');
    expect(step.events).toEqual([{ type: 'lease.removed', data: { leaseId: LEASE, cause: 'task_ended' } }]);
    expect(step.actAtMs).toBeNull();
  });

  it('is cut again when it is seen live', () => {
    const step = afterClean(cut, { endedAtMs, observation: sighting('live') });
    expect(step).toMatchObject({
      lease: { state: 'due', revocation: { requestedAtMs: endedAtMs, round: 1 } },
      events: [{ type: 'lease.revocation_requested' }],
      actAtMs: endedAtMs,
    });
  });

  it.each([{ observation: sighting('disabled') }, { failed: 'ERR_TARGET_UNREACHABLE' }])(
    'is cleaned again otherwise',
    (result) => {
      const step = afterClean(cut, { endedAtMs, ...result });
      expect(step).toMatchObject({ lease: { state: 'cut', revocation: { attempts: 1 } }, events: [] });
      expect(step.actAtMs).toBe(endedAtMs + 50);
    },
  );

  it('stays removed when a second revoker reports late', () => {
    const removed: DoomedLease = { ...due, state: 'removed' };
    expect(afterClean(removed, { endedAtMs, observation: sighting('live') })).toEqual({
      lease: removed,
      events: [],
      actAtMs: null,
    });
  });
});
