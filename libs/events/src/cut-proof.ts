/**
 * When a lease's access is proven gone: what an attempt at the target makes of a due lease (protocol rules 7 and 12). Pure;
 * times are epoch milliseconds.
 */
import { backoffMs, jittered, randomOf, reportsUnproven } from './backoff.js';
import {
  cutAgain,
  iso,
  quiet,
  type DoomedLease,
  type LeasePlan,
  type RevocationEvent,
  type RevokerLease,
  type Step,
} from './revocation.js';
import { unreachable } from './unreachable.js';

export type Fencing = 'fenced' | 'timed' | 'unrecallable';

/**
 * From when on an observation proves something (rule 7). A proof may not be early, so it waits for the skew of the clocks
 * (rule 12). Requires a plan.
 */
export function proofReadyAtMs(
  fencing: Fencing,
  lease: Pick<RevokerLease, 'answered'> & { plan: LeasePlan },
  maxClockSkewMs: number,
): number {
  switch (fencing) {
    case 'fenced':
      return 0;
    case 'timed':
      return lease.answered ? 0 : Date.parse(lease.plan.createBy) + maxClockSkewMs;
    case 'unrecallable':
      return Date.parse(lease.plan.hardEnd) + maxClockSkewMs;
    default:
      return unreachable(fencing);
  }
}

export const proofReady = (
  fencing: Fencing,
  lease: Pick<RevokerLease, 'answered'> & { plan: LeasePlan },
  nowMs: number,
  maxClockSkewMs: number,
): boolean => nowMs >= proofReadyAtMs(fencing, lease, maxClockSkewMs);

/** What was seen at the target. `unknown`: it could not be looked at. */
export interface Sighting {
  state: 'absent' | 'disabled' | 'live' | 'unknown';
  atMs: number;
  incarnation: string;
  nodes: { seen: number; expected: number };
}

/** A cut as it went: `failed` says why nothing is known. */
export type CutAttempt = {
  /** Observations of this attempt are not older. */
  startedAtMs: number;
  endedAtMs: number;
} & (
  { report: { observation: Sighting; emptyObservations: number; sessionsEnded: number } } | { failed: string }
);

/** What holds for the target of a lease. */
export interface TargetRules {
  fencing: Fencing;
  maxClockSkewMs: number;
}

const PROOF_OBSERVATIONS = 2;

/** Access is proven cut by two empty observations of every node, made after the condition of the target's class holds. */
export function afterCut(lease: DoomedLease, attempt: CutAttempt, rules: TargetRules): Step<DoomedLease> {
  const { plan } = lease;
  if (lease.state !== 'due' || plan === null) return quiet(lease);
  if ('failed' in attempt) return unproven(lease, attempt.failed, attempt.endedAtMs);
  const { observation, emptyObservations, sessionsEnded } = attempt.report;
  const revocation = {
    ...lease.revocation,
    sessionsEnded: lease.revocation.sessionsEnded + sessionsEnded,
  };
  const counted = { ...lease, revocation };
  if (observation.state === 'unknown' || observation.nodes.seen < observation.nodes.expected)
    return unproven(counted, 'ERR_TARGET_NOT_OBSERVED', attempt.endedAtMs);
  if (observation.state === 'live' || emptyObservations < PROOF_OBSERVATIONS)
    return unproven(counted, 'ERR_ACCESS_SEEN', attempt.endedAtMs);
  const readyAtMs = proofReadyAtMs(rules.fencing, { ...lease, plan }, rules.maxClockSkewMs);
  if (attempt.startedAtMs < readyAtMs)
    return untilReady(counted, rules.fencing, readyAtMs, attempt.endedAtMs);

  const cutAtMs = Math.max(observation.atMs, revocation.requestedAtMs);
  return {
    lease: { ...counted, state: 'cut', revocation: { ...revocation, attempts: 0 } },
    events: [
      {
        type: 'lease.access_cut',
        data: {
          leaseId: lease.leaseId,
          cause: revocation.cause,
          evidence: {
            state: observation.state,
            sessionsEnded: revocation.sessionsEnded,
            observations: emptyObservations,
            incarnation: observation.incarnation,
            nodes: observation.nodes,
          },
          requestedAt: iso(revocation.requestedAtMs),
          cutAt: iso(cutAtMs),
          exposureMs: cutAtMs - revocation.requestedAtMs,
        },
      },
      ...orphanCut({ ...lease, plan }, cutAtMs),
    ],
    actAtMs: attempt.endedAtMs,
  };
}

/** Nobody asked for it, so nobody else tells of its end. */
function orphanCut(
  { leaseId, plan, revocation }: DoomedLease & { plan: LeasePlan },
  cutAtMs: number,
): RevocationEvent[] {
  if (revocation.cause !== 'orphan') return [];
  const { target, principal } = plan;
  const exposureMs = cutAtMs - revocation.requestedAtMs;
  return [{ type: 'orphan.cut', data: { leaseId, target, principal, exposureMs } }];
}

/** Nothing failed, it is only too early to know; what cannot be recalled at all is said so once. */
function untilReady(
  lease: DoomedLease,
  fencing: Fencing,
  readyAtMs: number,
  nowMs: number,
): Step<DoomedLease> {
  if (fencing !== 'unrecallable' || lease.revocation.attempts > 0)
    return { lease, events: [], actAtMs: readyAtMs };
  const told = { ...lease, revocation: { ...lease.revocation, attempts: 1 } };
  return {
    lease: told,
    events: [unprovenEvent(told, 'ERR_TARGET_UNRECALLABLE', nowMs)],
    actAtMs: Math.max(readyAtMs, nowMs),
  };
}

/** One more attempt that proved nothing. Retried for ever; told after the third, and then ever more seldom. */
function unproven(lease: DoomedLease, code: string, nowMs: number): Step<DoomedLease> {
  const attempts = lease.revocation.attempts + 1;
  const next = { ...lease, revocation: { ...lease.revocation, attempts } };
  return {
    lease: next,
    events: reportsUnproven(attempts) ? [unprovenEvent(next, code, nowMs)] : [],
    actAtMs: againAtMs(next, nowMs),
  };
}

/** Thousands of leases that fail at one target at one moment do not come back at one moment. */
const againAtMs = ({ leaseId, revocation: { attempts } }: DoomedLease, nowMs: number): number =>
  nowMs + jittered(backoffMs(attempts), randomOf(leaseId));

const unprovenEvent = (
  { leaseId, plan, revocation }: DoomedLease,
  code: string,
  nowMs: number,
): RevocationEvent => ({
  type: 'lease.revocation_unproven',
  data: {
    leaseId,
    cause: revocation.cause,
    attempts: revocation.attempts,
    since: iso(revocation.requestedAtMs),
    exposureMs: Math.max(0, nowMs - revocation.requestedAtMs),
    ...(plan === null ? {} : { mayExistUntil: plan.hardEnd }),
    code,
  },
});

export type CleanAttempt = { endedAtMs: number } & ({ observation: Sighting } | { failed: string });

/** Removed once it is seen absent. Access that came back is cut again; anything else is cleaned again. */
export function afterClean(lease: DoomedLease, attempt: CleanAttempt): Step<DoomedLease> {
  if (lease.state !== 'cut') return quiet(lease);
  const seen = 'observation' in attempt ? attempt.observation.state : 'unknown';
  switch (seen) {
    case 'absent':
      return {
        lease: { ...lease, state: 'removed', revocation: { ...lease.revocation, attempts: 0 } },
        events: [{ type: 'lease.removed', data: { leaseId: lease.leaseId, cause: lease.revocation.cause } }],
        actAtMs: null,
      };
    case 'live':
      return cutAgain(lease, attempt.endedAtMs);
    case 'disabled':
    case 'unknown': {
      const attempts = lease.revocation.attempts + 1;
      const next = { ...lease, revocation: { ...lease.revocation, attempts } };
      return { lease: next, events: [], actAtMs: againAtMs(next, attempt.endedAtMs) };
    }
    default:
      return unreachable(seen);
  }
}
