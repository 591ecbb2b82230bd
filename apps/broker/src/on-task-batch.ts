/** Task events of one fetch: who sent them, may they, what follows. One transaction; no target is waited for. */
import type { BusRecord } from '#bus/bus.js';
import { decideStart } from '#events/declare-task.js';
import { decideEnd } from '#events/end-task.js';
import { mayReport, pinRefusal } from '#events/entitlement.js';
import type { Refusal } from '#events/refusal.js';
import type { Decided, Sender } from '#events/task.js';
import { unreachable } from '#events/unreachable.js';
import { admit, type Admitted } from '#identity/admit.js';
import { consumeBatch } from '#store/consume.js';
import type { Tx } from '#store/database.js';
import { Inbox } from '#store/inbox.js';
import type { BrokerParts } from './broker-parts.js';
import type { CallKey } from './call-rows.js';
import { makeCall } from './make-call.js';
import { deadLetter, GROUP, rejectionEvent } from './records.js';
import { UnitOfWork, type Intent } from './unit-of-work.js';

interface Judged {
  record: BusRecord;
  admission: ReturnType<typeof admit>;
}

/** Resolves after the commit. @returns the leases intended, and the acknowledgement of their intents. */
export async function onTaskBatch(
  records: readonly BusRecord[],
  parts: BrokerParts,
): Promise<{ intents: Intent[]; published: Promise<void> }> {
  const judged = new Map(records.map((record) => [record.offset, admit(record, parts.trust)]));
  const { queued, intents, told } = await consumeBatch(parts.db, GROUP, records, async (tx, wanted) => {
    const batch = wanted.flatMap((record) => {
      const admission = judged.get(record.offset);
      return admission === undefined ? [] : [{ record, admission }];
    });
    const admitted = batch.flatMap(({ admission }) => (admission.ok ? [admission.admitted] : []));
    const inbox = await Inbox.read(tx, admitted);
    const work = await UnitOfWork.begin(tx, wantedOf(admitted));
    for (const each of batch) await handle(tx, work, inbox, each, parts);
    return {
      queued: await work.flush(parts.instanceId, inbox.fresh()),
      intents: work.intents,
      told: work.told,
    };
  });
  parts.measures.count(told);
  return { intents, published: parts.relay.send(queued) };
}

function wantedOf(admitted: readonly Admitted[]) {
  const taskIds: string[] = [];
  const newTaskIds: string[] = [];
  const calls: CallKey[] = [];
  for (const { event, sender } of admitted) {
    const { taskId } = event.data;
    taskIds.push(taskId);
    if (event.type === 'task.started' || event.type === 'task.ended') newTaskIds.push(taskId);
    if (event.type === 'task.started' && event.data.parent !== undefined)
      taskIds.push(event.data.parent.taskId);
    if (event.type === 'tool.called') calls.push({ taskId, agent: sender, callId: event.data.callId });
  }
  return { taskIds, newTaskIds, calls, senders: admitted.map((each) => each.sender) };
}

async function handle(
  tx: Tx,
  work: UnitOfWork,
  inbox: Inbox,
  { record, admission }: Judged,
  parts: BrokerParts,
): Promise<void> {
  if (!admission.ok) return reject(work, record, admission.refusal, admission.sender);
  const { admitted } = admission;
  switch (inbox.novelty(admitted)) {
    case 'repeated':
      return;
    case 'reused':
      return rejectAdmitted(work, record, admitted, {
        code: 'ERR_ID_REUSED',
        reason: 'this id was used for another event',
      });
    case 'new': {
      const refusal = await apply(tx, work, admitted, parts);
      if (refusal === null) return inbox.accept(admitted);
      rejectAdmitted(work, record, admitted, refusal);
    }
  }
}

/** A call made on the bus is always answered, also where its event is rejected. */
function rejectAdmitted(
  work: UnitOfWork,
  record: BusRecord,
  { event, sender }: Admitted,
  refusal: Refusal,
): void {
  reject(work, record, refusal, sender);
  if (event.type !== 'tool.called') return;
  const { taskId, callId } = event.data;
  work.refuseCall({ taskId, callId, agent: sender }, refusal, [refusal.reason]);
}

function reject(work: UnitOfWork, record: BusRecord, refusal: Refusal, sender?: string): void {
  work.publish(rejectionEvent(record, refusal, sender, work.nowMs));
  work.queue(deadLetter(record, refusal, work.nowMs));
}

/** @returns why the sender may not say this; null once the event has had its effect. */
async function apply(
  tx: Tx,
  work: UnitOfWork,
  admitted: Admitted,
  parts: BrokerParts,
): Promise<Refusal | null> {
  const { event } = admitted;
  const by: Sender = {
    id: admitted.sender,
    keyThumbprint: admitted.proofKeyThumbprint,
    ceId: admitted.ceId,
  };
  const { catalogue, judge } = parts;
  const task = work.task(event.data.taskId);
  switch (event.type) {
    case 'task.started':
      return settle(
        work,
        task.taskId,
        decideStart(task, event.data, by, {
          catalogue,
          judge,
          ancestors: work.chainFrom(event.data.parent?.taskId),
          openTasksOfSender: work.openTasksOf(by.id),
          nowMs: work.nowMs,
        }),
      );
    case 'task.ended':
      return settle(work, task.taskId, decideEnd(task, event.data, by, { catalogue, nowMs: work.nowMs }));
    case 'tool.called':
      return await makeCall(tx, work, event.data, by, parts);
    case 'tool.completed': {
      if (task.declaration === null) return { code: 'ERR_TASK_UNKNOWN', reason: 'no such task was accepted' };
      if (!mayReport(task.declaration, by.id, catalogue))
        return { code: 'ERR_NOT_ENTITLED', reason: 'the sender may not report on this task' };
      const pin = pinRefusal(task.pins, by.id, by.keyThumbprint);
      if (pin !== null) return pin;
      work.record(task.taskId, {
        type: 'task.usage_reported',
        data: { ...by, rows: event.data.rows ?? 0 },
      });
      return null;
    }
    case 'task.amended':
      return { code: 'ERR_AMENDMENT_UNSUPPORTED', reason: 'tasks cannot be amended yet' };
    case 'lease.renewal_requested':
      return { code: 'ERR_RENEWAL_UNSUPPORTED', reason: 'leases cannot be renewed yet' };
    default:
      return unreachable(event);
  }
}

function settle(work: UnitOfWork, taskId: string, decided: Decided): Refusal | null {
  switch (decided.is) {
    case 'rejected':
      return decided.refusal;
    case 'refused':
      work.publish(decided.event);
      work.keepInputs(decided.inputs);
      return null;
    case 'decided':
      for (const event of decided.events) work.record(taskId, event);
      work.keepInputs(decided.inputs);
      return null;
    default:
      return unreachable(decided);
  }
}
