/**
 * An approval: the word of people that one call may be made. It is bound to the digest of that call, in which the policy's digest is,
 * and to the generations of its task and all ancestors; it is of use once. Pure: no clock, no I/O; times are epoch milliseconds.
 */
import type { Catalogue } from './catalogue.js';
import type { EventOf } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { serviceSource } from './services.js';
import { chainRefusal, lineageOf, type Task } from './task.js';
import { unreachable } from './unreachable.js';

export type ApprovalEvent =
  | EventOf<'approval.requested'>
  | EventOf<'approval.granted'>
  | EventOf<'approval.refused'>
  | EventOf<'approval.expired'>
  | EventOf<'approval.consumed'>
  | EventOf<'approval.withdrawn'>
  | EventOf<'break_glass.used'>;

export interface Approval {
  requested: EventOf<'approval.requested'>['data'];
  status: 'open' | 'consumed' | 'refused' | 'expired' | 'withdrawn';
  /** Who has granted it, each once. */
  grants: string[];
  /** An operator gave it alone, in an emergency. */
  brokenGlass: boolean;
  /** The first lease it was used for. */
  leaseId: string | null;
}

export const approvalOf = ({ data }: EventOf<'approval.requested'>): Approval => ({
  requested: data,
  status: 'open',
  grants: [],
  brokenGlass: false,
  leaseId: null,
});

export function evolveApproval(approval: Approval, event: ApprovalEvent): Approval {
  switch (event.type) {
    case 'approval.requested':
      return approval;
    case 'approval.granted':
      return { ...approval, grants: [...approval.grants, event.data.by] };
    case 'break_glass.used':
      return { ...approval, grants: [...approval.grants, event.data.by], brokenGlass: true };
    case 'approval.refused':
      return { ...approval, status: 'refused' };
    case 'approval.expired':
      return { ...approval, status: 'expired' };
    case 'approval.consumed':
      return { ...approval, status: 'consumed', leaseId: event.data.leaseId };
    case 'approval.withdrawn':
      return { ...approval, status: 'withdrawn' };
    default:
      return unreachable(event);
  }
}

/** All the people that are needed have said yes, and nobody has taken it back. */
export const isApproved = ({ status, grants, brokenGlass, requested }: Approval): boolean =>
  (status === 'open' || status === 'consumed') && (brokenGlass || grants.length >= requested.needed);

/** Counts in policy as one more person, for policy counts heads; every record of it says what it was. */
const BREAK_GLASS = 'mayfly:break-glass';

/** As policy is told of them. */
export const approversOf = ({ grants, brokenGlass }: Approval): string[] =>
  brokenGlass ? [...grants, BREAK_GLASS] : grants;

export type Answer = { by: string; reason?: string | undefined } &
  /** `breakGlass`: the reason of an operator who gives it alone, in an emergency. */
  (
    | { is: 'grant'; callDigest: string; breakGlass?: string | undefined }
    | { is: 'refuse' }
    | { is: 'withdraw' }
  );

export interface AnswerFacts {
  catalogue: Catalogue;
  /** The task first, then all its ancestors, as they are now. */
  chain: readonly [Task, ...Task[]];
  /** Digest of the policy that decides now. */
  policySet: string;
  /** What policy says of this person as an approver. */
  mayApprove: (person: string) => boolean;
  /** Of the call that it is for: the lease that it has now. */
  leaseId: string | null;
  nowMs: number;
}

/** `rejected` may have events all the same: an approval that turns out to be over is over from then on. */
export type Answered =
  { is: 'taken'; events: ApprovalEvent[] } | { is: 'rejected'; refusal: Refusal; events: ApprovalEvent[] };

export function decideAnswer(approval: Approval, answer: Answer, facts: AnswerFacts): Answered {
  const refusal = entitlementRefusal(approval, answer, facts);
  if (refusal !== null) return rejected(refusal);
  switch (answer.is) {
    case 'grant':
      return grant(approval, answer, facts);
    case 'refuse':
      return ifOpen(approval, facts) ?? taken(said('approval.refused', approval, answer, facts));
    case 'withdraw':
      return withdraw(approval, answer, facts);
    default:
      return unreachable(answer);
  }
}

function grant(approval: Approval, answer: Extract<Answer, { is: 'grant' }>, facts: AnswerFacts): Answered {
  const { requested, grants } = approval;
  if (answer.callDigest !== requested.callDigest)
    return rejected(no('ERR_APPROVAL_MISMATCH', 'the approval is for another call than the one it names'));
  const over = ifOpen(approval, facts);
  if (over !== null) return over;
  // The same person counts once.
  if (grants.includes(answer.by)) return taken();
  const { needed, callDigest } = requested;
  const { data } = said('approval.granted', approval, answer, facts);
  if (answer.breakGlass !== undefined)
    return taken({ type: 'break_glass.used', data: { ...data, callDigest, reason: answer.breakGlass } });
  const granted = grants.length + 1;
  return taken({ type: 'approval.granted', data: { ...data, granted, needed, callDigest } });
}

function withdraw(approval: Approval, answer: Answer, facts: AnswerFacts): Answered {
  if (approval.status !== 'open' && approval.status !== 'consumed') return rejected(decidedBefore(approval));
  const { data } = said('approval.withdrawn', approval, answer, facts);
  const { leaseId } = facts;
  const lease = approval.status === 'consumed' && leaseId !== null ? { leaseId } : {};
  return taken({ type: 'approval.withdrawn', data: { ...data, ...lease } });
}

/** Who may say this at all: a person of the catalogue, in a group that is asked, who has no part in what is asked for. */
function entitlementRefusal(
  { requested, grants }: Approval,
  answer: Answer,
  { catalogue, mayApprove }: AnswerFacts,
): Refusal | null {
  const { by } = answer;
  const entry = catalogue.operators.get(by);
  const roles = isPerson(by) ? (entry?.roles ?? []) : [];
  const isOperator = roles.includes('operator');
  const inGroups = requested.groups.every((each) => each.some((group) => entry?.groups?.includes(group)));
  const isApprover = roles.includes('approver') && inGroups;
  switch (answer.is) {
    case 'grant':
      if (answer.breakGlass === undefined ? !isApprover : !isOperator)
        return no('ERR_NOT_ENTITLED', 'this person may not grant this approval');
      if (requested.notBy.includes(by))
        return no('ERR_APPROVER_INVOLVED', 'whoever asks, or is asked for, does not approve');
      return mayApprove(by) ? null : no('ERR_NOT_ENTITLED', 'policy does not let this person approve');
    case 'refuse':
      return isApprover || isOperator
        ? null
        : no('ERR_NOT_ENTITLED', 'this person may not refuse this approval');
    case 'withdraw':
      return isOperator || (isApprover && grants.includes(by))
        ? null
        : no('ERR_NOT_ENTITLED', 'an approval is withdrawn by who gave it, or by an operator');
    default:
      return unreachable(answer);
  }
}

/** Approvals are given by people: a service that holds the key of an approver is none. */
export const isPerson = (id: string): boolean => id.startsWith('user:');

export type LapseCause = EventOf<'approval.expired'>['data']['why'];

/** Why an open approval is over by itself; null while it is not. */
export function lapseOf(
  { requested }: Approval,
  { chain, policySet, nowMs }: Pick<AnswerFacts, 'chain' | 'nowMs'> & { policySet?: string },
): LapseCause | null {
  const [task, ...ancestors] = chain;
  if (task.status === 'ended') return 'task_ended';
  if (nowMs >= Date.parse(requested.expiresAt)) return 'time';
  const now = lineageOf(task, ancestors);
  const same =
    now.length === requested.lineage.length &&
    requested.lineage.every(
      ({ taskId, generation }, index) =>
        now[index]?.taskId === taskId && now[index].generation === generation,
    );
  if (!same || chainRefusal(task, ancestors, nowMs) !== null) return 'task_changed';
  return policySet !== undefined && policySet !== requested.policySet ? 'policy_changed' : null;
}

export const expiredBy = (
  approval: Approval,
  why: LapseCause,
  nowMs: number,
): EventOf<'approval.expired'> => ({
  type: 'approval.expired',
  data: { ...commonOf(approval, serviceSource('broker'), nowMs), why },
});

export const consumedBy = (
  approval: Approval,
  leaseId: string,
  nowMs: number,
): EventOf<'approval.consumed'> => ({
  type: 'approval.consumed',
  data: {
    ...commonOf(approval, serviceSource('broker'), nowMs),
    leaseId,
    callDigest: approval.requested.callDigest,
    approvers: approversOf(approval),
  },
});

/** What the agent of a call is told whose approval is over without one. */
export const LAPSE_REFUSALS: Record<LapseCause, Refusal> = {
  time: { code: 'ERR_APPROVAL_EXPIRED', reason: 'nobody approved the call in time' },
  task_ended: { code: 'ERR_TASK_ENDED', reason: 'the task ended before the call was approved' },
  task_changed: { code: 'ERR_APPROVAL_LAPSED', reason: 'the task changed before the call was approved' },
  policy_changed: { code: 'ERR_APPROVAL_LAPSED', reason: 'policy changed before the call was approved' },
  denied: { code: 'ERR_APPROVAL_LAPSED', reason: 'the call was approved, and is not permitted all the same' },
};

function ifOpen(approval: Approval, facts: AnswerFacts): Answered | null {
  if (approval.status !== 'open') return rejected(decidedBefore(approval));
  const why = lapseOf(approval, facts);
  if (why === null) return null;
  return { is: 'rejected', refusal: LAPSE_REFUSALS[why], events: [expiredBy(approval, why, facts.nowMs)] };
}

const decidedBefore = ({ status }: Approval): Refusal =>
  status === 'expired'
    ? no('ERR_APPROVAL_EXPIRED', 'the approval has expired')
    : no('ERR_APPROVAL_DECIDED', 'the approval was used, refused or withdrawn before');

const no = (code: RefusalCode, reason: string): Refusal => ({ code, reason });
const rejected = (refusal: Refusal): Answered => ({ is: 'rejected', refusal, events: [] });
const taken = (...events: ApprovalEvent[]): Answered => ({ is: 'taken', events });

const commonOf = ({ requested }: Approval, actor: string, nowMs: number) => {
  const { taskId, generation, tenant, causedBy, approvalId, callId, agent } = requested;
  return {
    ...{ taskId, generation, actor, at: new Date(nowMs).toISOString(), approvalId, callId, agent },
    ...(tenant === undefined ? {} : { tenant }),
    ...(causedBy === undefined ? {} : { causedBy }),
  };
};

function said<T extends 'approval.granted' | 'approval.refused' | 'approval.withdrawn'>(
  type: T,
  approval: Approval,
  { by, reason }: Answer,
  { nowMs }: AnswerFacts,
) {
  const data = { ...commonOf(approval, by, nowMs), by, ...(reason === undefined ? {} : { reason }) };
  return { type, data };
}
