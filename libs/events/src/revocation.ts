/**
 * A lease as the revoker sees it, from its intent to the proof that it is gone. Pure: no clock, no I/O; times are epoch
 * milliseconds. One function per way of hearing of it, and each says what is to be told. Doing anything twice tells nothing.
 */
import type { LeasePlan } from './lease-plan.js';
import type { CutCause } from './causes.js';
import type { EventOf, Lineage, OutboundData } from './outbound.js';
import { unreachable } from './unreachable.js';

export type { LeasePlan };

/** Why, and since when, the access of a lease is to be cut. */
export interface Revocation {
  cause: CutCause;
  /** `ce_id` of the record that led to it. */
  causedBy: string | null;
  requestedAtMs: number;
  /** Attempts that proved nothing, since the last step forward. */
  attempts: number;
  sessionsEnded: number;
  /** How often access was seen again after its proof: what an attempt saw before that says nothing. Absent: never. */
  round?: number;
}

interface Heard {
  leaseId: string;
  taskId: string;
  generation: number;
  /** Whose it is; absent until the intent is heard. */
  agent?: string;
  /** Of the agent's own; absent: it had never been revoked. */
  agentGeneration?: number;
  /** Of the task itself first, then of its ancestors. */
  lineage: Lineage;
  /** Null until the intent is heard: nothing can be cut without it. Its notAfter is the latest end that was heard of. */
  plan: LeasePlan | null;
  /** Renewed to, where that was heard before the intent. */
  renewedTo?: string;
  issued: boolean;
  /** Nothing of the create can still be on its way. */
  answered: boolean;
}

export type KnownLease = Heard & { state: 'known' };
/** `due`: to be cut. `cut`: proven without access, to be cleaned. `removed`: nothing is left. */
export type DoomedLease = Heard & { state: 'due' | 'cut' | 'removed'; revocation: Revocation };
export type RevokerLease = KnownLease | DoomedLease;

/** An end, remembered. */
export interface Tombstone {
  taskId: string;
  /** Leases of lower generations are dead; null: all are. */
  generationBelow: number | null;
  cause: CutCause;
  causedBy: string | null;
}

type Common = 'taskId' | 'generation' | 'tenant' | 'causedBy' | 'actor' | 'at';
type RevocationType =
  | 'lease.revocation_requested'
  | 'lease.access_cut'
  | 'lease.removed'
  | 'lease.revocation_unproven'
  | 'lease.vanished'
  | 'orphan.found'
  | 'orphan.cut';
/** What the revoker says, without the members that every event carries. */
export type RevocationEvent = {
  [T in RevocationType]: { type: T; data: Omit<OutboundData<T>, Common> };
}[RevocationType];

export interface Step<L extends RevokerLease = RevokerLease> {
  lease: L;
  events: RevocationEvent[];
  /** When a worker is to look at the target; null: nothing is to be done there. */
  actAtMs: number | null;
  /** Issued too late, or against an earlier outcome, so rule 3 is broken: somebody must be woken. */
  alarm?: 'issued_after_removal';
}

/** What was heard, who said so, and when it was read. */
export interface Hearing {
  tombstones: readonly Tombstone[];
  /** `ce_id` of the record at hand. */
  ceId: string;
  nowMs: number;
}

export const iso = (ms: number) => new Date(ms).toISOString();
export const quiet = <L extends RevokerLease>(lease: L): Step<L> => ({ lease, events: [], actAtMs: null });

/**
 * The tombstone that covers a lease, through any id of its lineage; each generation is compared with that of its own task.
 * The end of a whole task goes before the end of a generation.
 */
export function coveredBy(lineage: Lineage, tombstones: readonly Tombstone[]): Tombstone | null {
  const covers = tombstones.filter(({ taskId, generationBelow }) =>
    lineage.some(
      (link) => link.taskId === taskId && (generationBelow === null || link.generation < generationBelow),
    ),
  );
  return covers.find((tombstone) => tombstone.generationBelow === null) ?? covers[0] ?? null;
}

/** The end of an ancestor is `parent_ended` for the lease; its own task's end says why it ended. */
export function causeFor(lease: { taskId: string }, tombstone: Tombstone): CutCause {
  const foreign = tombstone.taskId !== lease.taskId;
  return foreign && tombstone.generationBelow === null ? 'parent_ended' : tombstone.cause;
}

/** A known lease becomes due. The first cause is kept, so for any other this is quiet. */
export function makeDue(
  lease: RevokerLease,
  why: { cause: CutCause; causedBy: string | null },
  nowMs: number,
): Step {
  if (lease.state !== 'known') return quiet(lease);
  const { cause, causedBy } = why;
  return {
    lease: {
      ...lease,
      state: 'due',
      revocation: { cause, causedBy, requestedAtMs: nowMs, attempts: 0, sessionsEnded: 0 },
    },
    events: [requested(lease.leaseId, cause, nowMs)],
    actAtMs: nowMs,
  };
}

const requested = (leaseId: string, cause: CutCause, nowMs: number): RevocationEvent => ({
  type: 'lease.revocation_requested',
  data: { leaseId, cause, requestedAt: iso(nowMs) },
});

/** Rule 5: due at once if an end was heard before. */
function dueIfCovered(lease: RevokerLease, { tombstones, nowMs }: Hearing): Step {
  const tombstone = coveredBy(lease.lineage, tombstones);
  if (tombstone === null) return quiet(lease);
  return makeDue(lease, { cause: causeFor(lease, tombstone), causedBy: tombstone.causedBy }, nowMs);
}

/** A lease whose outcome was read before its intent. */
const shell = ({ leaseId, taskId, generation }: Outcome): KnownLease => ({
  leaseId,
  taskId,
  generation,
  lineage: generation > 0 ? [{ taskId, generation }] : [],
  plan: null,
  issued: false,
  answered: false,
  state: 'known',
});

export function hearIntended(
  lease: RevokerLease | null,
  { data }: EventOf<'lease.intended'>,
  hearing: Hearing,
): Step {
  if (lease !== null && lease.plan !== null) return quiet(lease);
  const { leaseId, provider, target, principal, rights, createBy, notAfter, hardEnd, token } = data;
  const { renewedTo = notAfter, ...known } = lease ?? shell(data);
  const planned: RevokerLease = {
    ...known,
    agent: data.agent,
    ...(data.agentGeneration === undefined ? {} : { agentGeneration: data.agentGeneration }),
    lineage: data.lineage,
    plan: longer(
      {
        ...{ leaseId, provider, target, principal, rights, createBy, notAfter, hardEnd },
        ...(token === undefined ? {} : { token }),
      },
      renewedTo,
    ),
  };
  if (planned.state === 'known') return dueIfCovered(planned, hearing);
  return { lease: planned, events: [], actAtMs: hearing.nowMs };
}

type Outcome = Pick<OutboundData<'lease.issued'>, 'leaseId' | 'taskId' | 'generation'>;
type Issued = Outcome & Pick<OutboundData<'lease.issued'>, 'at'>;

export function hearIssued(lease: RevokerLease | null, outcome: Issued, hearing: Hearing): Step {
  const noted = { ...(lease ?? shell(outcome)), issued: true, answered: true };
  if (lease?.issued === true) return quiet(noted);
  switch (noted.state) {
    case 'known':
      return dueIfCovered(noted, hearing);
    case 'due':
    case 'cut':
      return { lease: noted, events: [], actAtMs: hearing.nowMs };
    case 'removed':
      if (isUnderProof(noted, outcome, lease?.answered === true)) return quiet(noted);
      return { ...cutAgain(noted, hearing.nowMs), alarm: 'issued_after_removal' };
    default:
      return unreachable(noted);
  }
}

/**
 * Whether an outcome read after the removal kept rule 3: then the proof covers it, for what was created by createBy is either
 * behind the fence or was waited for. A lease that is over before its outcome is read is no accident, only a slow reader.
 */
const isUnderProof = ({ plan, revocation }: DoomedLease, { at }: Issued, decidedBefore: boolean): boolean =>
  plan !== null &&
  !decidedBefore &&
  revocation.cause !== 'abandoned' &&
  Date.parse(at) < Date.parse(plan.createBy);

export function hearAbandoned(
  lease: RevokerLease | null,
  outcome: Outcome & { answered: boolean },
  hearing: Hearing,
): Step {
  const before = lease ?? shell(outcome);
  const noted = { ...before, answered: before.answered || outcome.answered };
  const news = noted.answered !== before.answered;
  switch (noted.state) {
    case 'known': {
      const covered = dueIfCovered(noted, hearing);
      if (covered.lease.state === 'due') return covered;
      return makeDue(noted, { cause: 'abandoned', causedBy: hearing.ceId }, hearing.nowMs);
    }
    case 'due':
    case 'cut':
      return { lease: noted, events: [], actAtMs: news ? hearing.nowMs : null };
    case 'removed':
      return quiet(noted);
    default:
      return unreachable(noted);
  }
}

/**
 * The end moves where there is one to move. A lease that is to die stays so: what was lent for longer meanwhile is known from now on,
 * so that what verifiers are told of it outlives it.
 */
export function hearRenewed(
  lease: RevokerLease | null,
  { notAfter, ...outcome }: Outcome & { notAfter: string },
  hearing: Hearing,
): Step {
  const before = lease ?? shell(outcome);
  if (before.plan === null) {
    const { renewedTo = notAfter } = before;
    const latest = Date.parse(notAfter) > Date.parse(renewedTo) ? notAfter : renewedTo;
    return dueIfCovered({ ...before, renewedTo: latest }, hearing);
  }
  const plan = longer(before.plan, notAfter);
  return plan === before.plan ? quiet(before) : quiet({ ...before, plan });
}

/** Whatever is said, never past the hard end, and never earlier. */
function longer(plan: LeasePlan, notAfter: string): LeasePlan {
  const endMs = Math.min(Date.parse(notAfter), Date.parse(plan.hardEnd));
  return endMs > Date.parse(plan.notAfter) ? { ...plan, notAfter: iso(endMs) } : plan;
}

/** The agent does not need it any more, or whoever approved it takes their word back: the access is over now, whatever else may end it later. */
export function hearGivenUp(
  lease: RevokerLease | null,
  outcome: Outcome,
  cause: 'returned' | 'approval_withdrawn',
  hearing: Hearing,
): Step {
  const noted = lease ?? shell(outcome);
  const covered = dueIfCovered(noted, hearing);
  if (covered.lease.state !== 'known') return covered;
  return makeDue(noted, { cause, causedBy: hearing.ceId }, hearing.nowMs);
}

export const roundOf = ({ revocation }: DoomedLease): number => revocation.round ?? 0;

/** Access that was proven gone is seen again: everything from the start, for the cause it had. */
export function cutAgain(lease: DoomedLease, nowMs: number): Step<DoomedLease> {
  const { cause } = lease.revocation;
  const round = roundOf(lease) + 1;
  return {
    lease: {
      ...lease,
      state: 'due',
      revocation: { ...lease.revocation, requestedAtMs: nowMs, attempts: 0, round },
    },
    events: [requested(lease.leaseId, cause, nowMs)],
    actAtMs: nowMs,
  };
}
