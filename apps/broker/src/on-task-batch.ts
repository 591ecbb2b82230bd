/** Task events of one batch: who sent them, may they, what follows. One transaction; no target is waited for. */
import type { BusRecord } from '#bus/bus.js';
import { decideStart } from '#events/declare-task.js';
import { decideEnd } from '#events/end-task.js';
import { mayReport, pinRefusal } from '#events/entitlement.js';
import type { OutboundEvent } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import type { Decided, Sender } from '#events/task.js';
import { unreachable } from '#events/unreachable.js';
import type { Admission, Admitted } from '#identity/admit.js';
import type { Tx } from '#store/database.js';
import { Inbox } from '#store/inbox.js';
import type { Read } from '#store/intake-parts.js';
import type { QueuedRecord } from '#store/outbox.js';
import type { BrokerParts } from './broker-parts.js';
import type { CallKey } from './call-rows.js';
import { makeCall } from './make-call.js';
import { resumeOnOrchestratorsWord } from './recover-topics.js';
import { Refusals } from './tell-refusals.js';
import { UnitOfWork, type Intent } from './unit-of-work.js';

/** What is to be done once the transaction is committed. */
export interface TaskEffects {
  queued: QueuedRecord[];
  intents: Intent[];
  told: OutboundEvent[];
}

/** What a batch is judged by and noted in, beside its tasks. */
interface Books {
  inbox: Inbox;
  refusals: Refusals;
}

/** @param batch in order within each task. */
export async function onTaskBatch(
  tx: Tx,
  batch: readonly Read<Admission>[],
  parts: BrokerParts,
): Promise<TaskEffects> {
  const admitted = batch.flatMap(({ said }) => (said.ok ? [said.admitted] : []));
  const [inbox, work] = await Promise.all([
    Inbox.read(tx, admitted),
    UnitOfWork.begin(tx, wantedOf(admitted)),
  ]);
  const refusals = new Refusals();
  for (const each of batch) await handle(tx, work, { inbox, refusals }, each, parts);
  const told = await refusals.tell(tx, work);
  return {
    queued: await work.flush(parts.instanceId, inbox.fresh(), told),
    intents: work.intents,
    told: work.told,
  };
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
  { inbox, refusals }: Books,
  { record, said }: Read<Admission>,
  parts: BrokerParts,
): Promise<void> {
  if (!said.ok) return refusals.note(record, said.refusal, said.sender);
  const { admitted } = said;
  switch (inbox.novelty(admitted)) {
    case 'repeated':
      return;
    case 'reused':
      return rejectAdmitted(work, refusals, record, admitted, {
        code: 'ERR_ID_REUSED',
        reason: 'this id was used for another event',
      });
    case 'new': {
      const goesOn = resumeOnOrchestratorsWord(work, admitted);
      // The start told again is that word, and no second start.
      if (goesOn && admitted.event.type === 'task.started') return inbox.accept(admitted);
      const refusal = await apply(tx, work, admitted, parts);
      if (refusal === null) return inbox.accept(admitted);
      rejectAdmitted(work, refusals, record, admitted, refusal);
    }
  }
}

/** A call made on the bus is always answered, also where its event is rejected. */
function rejectAdmitted(
  work: UnitOfWork,
  refusals: Refusals,
  record: BusRecord,
  { event, sender }: Admitted,
  refusal: Refusal,
): void {
  refusals.note(record, refusal, sender);
  if (event.type !== 'tool.called') return;
  const { taskId, callId } = event.data;
  work.refuseCall({ taskId, callId, agent: sender }, refusal, [refusal.reason]);
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
