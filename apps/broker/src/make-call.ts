/** A call is decided once; asked again, it gets the same answer. */
import { v7 as uuidv7 } from 'uuid';
import { approvalOf, consumedBy, evolveApproval, expiredBy, type Approval } from '#events/approval.js';
import { decideCall, type CallDecided } from '#events/call.js';
import { pinRefusal } from '#events/entitlement.js';
import type { ToolCalled } from '#events/inbound.js';
import { canonical } from '#events/jcs.js';
import type { Refusal } from '#events/refusal.js';
import type { Sender } from '#events/task.js';
import { sealKeyThumbprint, validSealKey } from '#identity/seal.js';
import type { BrokerParts } from './broker-parts.js';
import { LEASE_ENDED, lockLeases, type AnsweredIn, type Call } from './call-rows.js';
import { noteDrift } from './note-drift.js';
import type { UnitOfWork } from './unit-of-work.js';
import type { Tx } from '#store/database.js';
import { sha256Hex } from '#store/parking.js';

type Parts = Pick<
  BrokerParts,
  'catalogue' | 'judge' | 'providers' | 'breakers' | 'fitness' | 'tokens' | 'approvals' | 'drift'
>;

/**
 * @param saidAtMs when it came to the bus, or to our HTTP
 * @returns why the event is rejected: its sender may not say this. Then nothing has happened.
 */
export async function makeCall(
  tx: Tx,
  work: UnitOfWork,
  call: ToolCalled,
  by: Sender,
  parts: Parts,
  answeredIn: AnsweredIn,
  saidAtMs: number,
): Promise<Refusal | null> {
  const contentSha256 = sha256Hex(canonical(call));
  const known = work.call({ taskId: call.taskId, agent: by.id, callId: call.callId });
  if (known === undefined)
    return decideNow(
      work,
      call,
      by,
      parts,
      { contentSha256, attempts: 1, answeredIn, approval: null },
      saidAtMs,
    );

  const pin = pinRefusal(work.task(call.taskId), by.id, by.keyThumbprint);
  if (pin !== null) return pin;
  if (known.contentSha256 !== contentSha256)
    return { code: 'ERR_CALL_REUSED', reason: 'this call id was used for another call' };
  if (answeredIn === 'delivery') await answerAgain(tx, work, known);
  return null;
}

/**
 * Decides, and intends a lease where the answer is yes.
 * @param saidAtMs absent where it was decided before: that it is decided again is no doing of its agent's, and no drift
 */
export function decideNow(
  work: UnitOfWork,
  call: ToolCalled,
  by: Sender,
  parts: Parts,
  {
    contentSha256,
    attempts,
    answeredIn,
    approval: given,
  }: Pick<Call, 'contentSha256' | 'attempts' | 'answeredIn' | 'approval'>,
  saidAtMs?: number,
): Refusal | null {
  const task = work.task(call.taskId);
  const result = decideCall(call, by, {
    task,
    ancestors: work.ancestorsOf(task),
    catalogue: parts.catalogue,
    judge: parts.judge,
    openTasksOfSender: work.openTasksOf(by.id),
    standing: work.standing.of(by.id),
    sealKeyThumbprint: validSealKey(call.sealTo) ? sealKeyThumbprint(call.sealTo) : null,
    newLeaseId: uuidv7(),
    principalOf: (target, leaseId) => parts.providers.get(target)?.principal(leaseId) ?? '',
    unavailable: (target) => parts.breakers.refusal(target, work.nowMs),
    unfit: (target, rights) => parts.fitness?.unfit(target, rights) ?? null,
    newStatus: () => parts.tokens?.status?.next(),
    ...(by.cannotWait === true
      ? {}
      : {
          approvals: {
            ...{ rules: parts.approvals, newApprovalId: uuidv7(), given },
            openOfAgent: work.waitingOf(by.id),
          },
        }),
    ...(saidAtMs === undefined ? {} : { watch: { rules: parts.drift, saidAtMs } }),
    sha256Hex,
    nowMs: work.nowMs,
  });
  if (result.is === 'rejected') return result.refusal;

  const { decided, intended, refusal, reasons } = result;
  work.record(call.taskId, decided);
  work.keepInputs(result.inputs);
  if (intended !== null) work.intend(intended, call.sealTo);
  const approval = approvalAfter(work, result, given);
  const waits = result.requested !== null;
  if (waits && answeredIn === 'delivery') tellPending(work, approval);
  if (!waits && refusal !== null && answeredIn === 'delivery')
    work.refuseCall(decided.data, refusal, reasons);
  work.saveCall({
    taskId: call.taskId,
    agent: by.id,
    callId: call.callId,
    contentSha256,
    state: refusal === null ? 'pending' : waits ? 'waiting' : 'refused',
    code: refusal?.code ?? null,
    reasons,
    leaseId: intended?.data.leaseId ?? null,
    approval,
    attempts,
    request: call,
    sender: by,
    answeredIn,
  });
  const { agent, callId, signals = [] } = decided.data;
  noteDrift(work, call.taskId, { signals, agent, callId, causedBy: by.ceId }, parts.drift);
  return null;
}

/** An approval is asked for, used by the first lease of its call, or over because the call is not permitted all the same. */
function approvalAfter(
  work: UnitOfWork,
  { requested, intended }: CallDecided,
  given: Approval | null,
): Approval | null {
  if (requested !== null) {
    work.record(requested.data.taskId, requested);
    const asked = approvalOf(requested);
    work.saveApproval(asked);
    return asked;
  }
  if (given?.status !== 'open') return given;
  const event =
    intended === null
      ? expiredBy(given, 'denied', work.nowMs)
      : consumedBy(given, intended.data.leaseId, work.nowMs);
  work.record(given.requested.taskId, event);
  const after = evolveApproval(given, event);
  work.saveApproval(after);
  return after;
}

/** Tells the agent of a call on the bus that it waits for people. */
export function tellPending(work: UnitOfWork, approval: Approval | null): void {
  if (approval === null) return;
  const { taskId, callId, agent, approvalId, expiresAt } = approval.requested;
  work.deliver('call.pending', { taskId, callId, agent, approval: approvalId, expiresAt });
}

async function answerAgain(tx: Tx, work: UnitOfWork, call: Call): Promise<void> {
  // The answer to a pending call is on its way, with its outcome.
  if (call.state === 'pending')
    return call.answeredIn === 'delivery' ? undefined : work.saveCall({ ...call, answeredIn: 'delivery' });
  if (call.state === 'waiting') {
    work.saveCall({ ...call, answeredIn: 'delivery' });
    return tellPending(work, call.approval);
  }
  if (call.code !== null) return work.refuseCall(call, { code: call.code }, call.reasons);
  if (call.leaseId === null) return;
  const envelope = (await lockLeases(tx, [call.leaseId])).get(call.leaseId)?.envelope ?? null;
  if (envelope !== null) return work.deliverEnvelope(call.taskId, envelope);
  work.refuseCall(call, { code: 'ERR_LEASE_ENDED' }, [LEASE_ENDED]);
}
