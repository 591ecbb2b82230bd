/**
 * Where people's words on calls are heard. Each is decided under the locks of the call's task, in one transaction with all that
 * follows from it: the last grant that was needed decides the call again, and a lease is intended in that same commit.
 */
import {
  decideAnswer,
  evolveApproval,
  expiredBy,
  isApproved,
  LAPSE_REFUSALS,
  lapseOf,
  type Answer,
  type Approval,
  type ApprovalEvent,
} from '#events/approval.js';
import type { Refusal } from '#events/refusal.js';
import { factsOf } from '#events/declaration.js';
import { unreachable } from '#events/unreachable.js';
import { transact, type Tx } from '#store/database.js';
import type { BrokerParts } from '../broker-parts.js';
import { lockLeases, markCut, type Call } from '../call-rows.js';
import { decideNow } from '../make-call.js';
import type { TaskEffects } from '../on-task-batch.js';
import { UnitOfWork } from '../unit-of-work.js';
import {
  approvalLoad,
  listApprovals,
  overdueApprovals,
  readApproval,
  type ApprovalsWanted,
} from './approval-rows.js';

export interface ApprovalDeskParts {
  parts: BrokerParts;
  /** After each commit. */
  after: (effects: TaskEffects) => void;
}

export type DeskAnswer = { is: 'taken'; approval: Approval } | { is: 'rejected'; refusal: Refusal };

const AT_ONCE = 100;
const UNKNOWN: DeskAnswer = {
  is: 'rejected',
  refusal: { code: 'ERR_APPROVAL_UNKNOWN', reason: 'there is no such approval' },
};

export class ApprovalDesk {
  constructor(private readonly given: ApprovalDeskParts) {}

  list(wanted: ApprovalsWanted): Promise<Approval[]> {
    return transact(this.given.parts.db, (tx) => listApprovals(tx, wanted));
  }

  one(approvalId: string): Promise<Approval | null> {
    return transact(this.given.parts.db, (tx) => readApproval(tx, approvalId));
  }

  /** Resolves after the commit. Requires that whoever answers is authenticated. */
  async answer(approvalId: string, answer: Answer): Promise<DeskAnswer> {
    const { parts, after } = this.given;
    const { effects, said } = await transact(parts.db, async (tx) => {
      const found = await readApproval(tx, approvalId);
      if (found === null) return { effects: null, said: UNKNOWN };
      const work = await begin(tx, [found]);
      // Read again: it is only now that nobody else writes about it.
      const approval = (await readApproval(tx, approvalId)) ?? found;
      const said = await hear(tx, work, approval, answer, parts);
      return { effects: await effectsOf(work, parts), said };
    });
    if (effects !== null) after(effects);
    return said;
  }

  /** Ends what nobody answered in time, or what changed meanwhile; counts what still waits. */
  async lapse(): Promise<void> {
    const { parts, after } = this.given;
    const effects = await transact(parts.db, async (tx) => {
      const overdue = await overdueApprovals(tx, AT_ONCE);
      parts.measures.approvalsOpen(await approvalLoad(tx));
      if (overdue.length === 0) return null;
      const work = await begin(tx, overdue);
      for (const { requested } of overdue) await lapse(tx, work, requested.approvalId);
      return await effectsOf(work, parts);
    });
    if (effects !== null) after(effects);
  }
}

const begin = (tx: Tx, approvals: readonly Approval[]) =>
  UnitOfWork.begin(tx, {
    taskIds: approvals.map(({ requested }) => requested.taskId),
    calls: approvals.map(({ requested }) => requested),
    agents: approvals.map(({ requested }) => requested.agent),
  });

const effectsOf = async (work: UnitOfWork, { instanceId }: BrokerParts): Promise<TaskEffects> => ({
  queued: await work.flush(instanceId),
  intents: work.intents,
  renewals: work.renewals,
  told: work.told,
});

async function hear(
  tx: Tx,
  work: UnitOfWork,
  approval: Approval,
  answer: Answer,
  parts: BrokerParts,
): Promise<DeskAnswer> {
  const { catalogue, judge } = parts;
  const { taskId } = approval.requested;
  const task = work.task(taskId);
  const call = work.call(approval.requested);
  const decided = decideAnswer(approval, answer, {
    catalogue,
    chain: [task, ...work.ancestorsOf(task)],
    policySet: judge.digest,
    mayApprove: (person) =>
      task.declaration !== null &&
      (judge.mayApprove?.({ person, task: factsOf(taskId, task.declaration), atMs: work.nowMs }) ?? true),
    leaseId: call?.leaseId ?? null,
    nowMs: work.nowMs,
  });
  const now = take(work, approval, decided.events);
  if (decided.is === 'rejected') {
    work.publish(rejection(approval, answer, decided.refusal, work.nowMs));
    if (now.status === 'expired' && approval.status === 'open') refuse(work, call, now, decided.refusal);
    return { is: 'rejected', refusal: decided.refusal };
  }
  return { is: 'taken', approval: await follow(tx, work, call, now, answer, parts) };
}

/** What an answer comes to. */
async function follow(
  tx: Tx,
  work: UnitOfWork,
  call: Call | undefined,
  approval: Approval,
  answer: Answer,
  parts: BrokerParts,
): Promise<Approval> {
  switch (answer.is) {
    case 'grant': {
      if (call?.state !== 'waiting' || !isApproved(approval)) return keep(work, call, approval);
      const { request, sender, contentSha256, attempts, answeredIn } = call;
      const refusal = decideNow(work, request, sender, parts, {
        contentSha256,
        attempts,
        answeredIn,
        approval,
      });
      if (refusal === null) return work.call(call)?.approval ?? approval;
      const over = take(work, approval, [expiredBy(approval, 'denied', work.nowMs)]);
      return refuse(work, call, over, refusal);
    }
    case 'refuse':
      return refuse(work, call, approval, {
        code: 'ERR_APPROVAL_REFUSED',
        reason: 'the call was not approved',
      });
    case 'withdraw':
      if (call?.leaseId !== null && call?.leaseId !== undefined) await stop(tx, work, call.leaseId);
      return refuse(work, call, approval, {
        code: 'ERR_APPROVAL_WITHDRAWN',
        reason: 'the approval of the call was withdrawn',
      });
    default:
      return unreachable(answer);
  }
}

/** The revoker hears of it and cuts. Here no envelope is given out any more, and what is not issued yet never is. */
async function stop(tx: Tx, work: UnitOfWork, leaseId: string): Promise<void> {
  const lease = (await lockLeases(tx, [leaseId])).get(leaseId)?.lease;
  if (lease === undefined || lease.cutHeard) return;
  await markCut(tx, [leaseId]);
  if (lease.state === 'issued')
    work.deliver('lease.ended', { taskId: lease.taskId, leaseId, cause: 'approval_withdrawn' });
}

async function lapse(tx: Tx, work: UnitOfWork, approvalId: string): Promise<void> {
  const approval = await readApproval(tx, approvalId);
  if (approval?.status !== 'open') return;
  const task = work.task(approval.requested.taskId);
  const why = lapseOf(approval, { chain: [task, ...work.ancestorsOf(task)], nowMs: work.nowMs });
  if (why === null) return;
  const over = take(work, approval, [expiredBy(approval, why, work.nowMs)]);
  refuse(work, work.call(approval.requested), over, LAPSE_REFUSALS[why]);
}

function take(work: UnitOfWork, approval: Approval, events: readonly ApprovalEvent[]): Approval {
  if (events.length === 0) return approval;
  for (const event of events) work.record(approval.requested.taskId, event);
  const now = events.reduce(evolveApproval, approval);
  work.saveApproval(now);
  return now;
}

function keep(work: UnitOfWork, call: Call | undefined, approval: Approval): Approval {
  if (call !== undefined) work.saveCall({ ...call, approval });
  return approval;
}

/** Of a call that waits: its agent is told. What has come to a lease meanwhile has an outcome of its own. */
function refuse(work: UnitOfWork, call: Call | undefined, approval: Approval, refusal: Refusal): Approval {
  if (call?.state !== 'waiting') return keep(work, call, approval);
  const reasons = [refusal.reason];
  if (call.answeredIn === 'delivery') work.refuseCall(call, refusal, reasons);
  work.saveCall({ ...call, approval, state: 'refused', code: refusal.code, reasons });
  return approval;
}

function rejection({ requested }: Approval, answer: Answer, { code, reason }: Refusal, nowMs: number) {
  const { taskId, generation, tenant, approvalId, callId, agent } = requested;
  return {
    type: 'approval.answer_rejected' as const,
    data: {
      ...{ taskId, generation, ...(tenant === undefined ? {} : { tenant }) },
      actor: answer.by,
      at: new Date(nowMs).toISOString(),
      ...{ approvalId, callId, agent, by: answer.by, answer: answer.is, code, reason },
    },
  };
}
