/** Task events of one batch: who sent them, may they, what follows. One transaction; no target is waited for. */
import type { BusRecord } from '#bus/bus.js';
import { decideAmendment } from '#events/amend-task.js';
import { decideStart } from '#events/declare-task.js';
import { decideEnd } from '#events/end-task.js';
import { mayReport, pinRefusal } from '#events/entitlement.js';
import type { OutboundEvent } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import type { Decided } from '#events/task.js';
import { unreachable } from '#events/unreachable.js';
import type { Admission, Admitted } from '#identity/admit.js';
import { Last, type Tx } from '#store/database.js';
import { Inbox } from '#store/inbox.js';
import type { Read } from '#store/readings.js';
import type { QueuedRecord } from '#store/outbox.js';
import type { Answer } from './answers.js';
import type { BrokerParts } from './broker-parts.js';
import type { AnsweredIn, CallKey } from './call-rows.js';
import { makeCall } from './make-call.js';
import { renewalNow, renewLease, tellRefused } from './renew-lease.js';
import type { RenewalIntent } from './renewal-rows.js';
import { resumeOnOrchestratorsWord } from './recover-topics.js';
import { reportUse } from './report-use.js';
import { amendmentFacts, decideRefusedAgain, refusalIn, senderOf, startFacts } from './refused-before.js';
import { Refusals } from './tell-refusals.js';
import { UnitOfWork, type Intent } from './unit-of-work.js';
import type { Report } from './use-rows.js';

/** What is to be done once the transaction is committed. */
export interface TaskEffects {
  queued: QueuedRecord[];
  intents: Intent[];
  renewals: RenewalIntent[];
  told: OutboundEvent[];
}

/** What a batch is judged by and noted in, beside its tasks. */
interface Books {
  inbox: Inbox;
  refusals: Refusals;
  answeredIn: AnsweredIn;
}

/** @param batch in order within each task. @returns `answers` in the order of the batch. */
export async function onTaskBatch(
  tx: Tx,
  batch: readonly Read<Admission>[],
  parts: BrokerParts,
  answeredIn: AnsweredIn = 'delivery',
): Promise<Last<TaskEffects & { answers: Answer[] }>> {
  const admitted = batch.flatMap(({ said }) => (said.ok ? [said.admitted] : []));
  const [inbox, work] = await Promise.all([
    Inbox.read(tx, admitted),
    UnitOfWork.begin(tx, wantedOf(admitted)),
  ]);
  const refusals = new Refusals();
  const books = { inbox, refusals, answeredIn };
  const answers: Answer[] = [];
  for (const each of batch) answers.push(await handle(tx, work, books, each, parts));
  const told = await refusals.tell(tx, work);
  const { intents, renewals } = work;
  const queued = work.flush(parts.instanceId, inbox.fresh(), told);
  return new Last(queued.then((queued) => ({ queued, intents, renewals, told: work.told, answers })));
}

function wantedOf(admitted: readonly Admitted[]) {
  const taskIds: string[] = [];
  const newTaskIds: string[] = [];
  const calls: CallKey[] = [];
  const renewals: string[] = [];
  const reports: Report[] = [];
  for (const { event, sender } of admitted) {
    const { taskId } = event.data;
    taskIds.push(taskId);
    if (event.type === 'task.started' || event.type === 'task.ended') newTaskIds.push(taskId);
    if (event.type === 'task.started' && event.data.parent !== undefined)
      taskIds.push(event.data.parent.taskId);
    if (event.type === 'lease.renewal_requested') renewals.push(event.data.leaseId);
    if (event.type === 'tool.called') calls.push({ taskId, agent: sender, callId: event.data.callId });
    if (event.type === 'tool.completed') reports.push({ ...event.data, by: sender });
  }
  const senders = admitted.map((each) => each.sender);
  return { taskIds, newTaskIds, calls, renewals, reports, senders, agents: senders };
}

async function handle(
  tx: Tx,
  work: UnitOfWork,
  books: Books,
  { record, said }: Read<Admission>,
  parts: BrokerParts,
): Promise<Answer> {
  const { inbox, refusals } = books;
  if (!said.ok) {
    refusals.note(record, said.refusal, said.sender);
    return { is: 'rejected', refusal: said.refusal };
  }
  const { admitted } = said;
  switch (inbox.novelty(admitted)) {
    case 'repeated':
      return await answerOfBefore(tx, work, admitted, parts);
    case 'reused':
      return rejectAdmitted(work, books, record, admitted, {
        code: 'ERR_ID_REUSED',
        reason: 'this id was used for another event',
      });
    case 'new': {
      const goesOn = resumeOnOrchestratorsWord(work, admitted);
      // The start told again is that word, and no second start.
      if (goesOn && admitted.event.type === 'task.started') {
        inbox.accept(admitted);
        return taken(work, admitted);
      }
      const refusal = await apply(tx, work, admitted, parts, books.answeredIn);
      if (refusal?.is === 'rejected') return rejectAdmitted(work, books, record, admitted, refusal.refusal);
      inbox.accept(admitted);
      return refusal ?? taken(work, admitted);
    }
  }
}

function taken(work: UnitOfWork, { event, sender }: Admitted): Answer {
  const task = work.task(event.data.taskId);
  const call =
    event.type === 'tool.called'
      ? work.call({ taskId: task.taskId, agent: sender, callId: event.data.callId })
      : undefined;
  const renewal = event.type === 'lease.renewal_requested' ? renewalNow(work, event.data.leaseId) : undefined;
  return { is: 'taken', task, call, renewal };
}

/** These very bytes had their effect before. What is answered is what is true by now, and to the same key alone. */
async function answerOfBefore(
  tx: Tx,
  work: UnitOfWork,
  admitted: Admitted,
  parts: BrokerParts,
): Promise<Answer> {
  const { event, sender, proofKeyThumbprint } = admitted;
  const task = work.task(event.data.taskId);
  const pin = pinRefusal(task, sender, proofKeyThumbprint);
  if (pin !== null) return { is: 'rejected', refusal: pin };
  const again = await decideRefusedAgain(tx, work, admitted, parts);
  switch (again?.is) {
    case undefined:
      return taken(work, admitted);
    case 'rejected':
      return again;
    case 'refused':
      return { is: 'refused', refusal: refusalIn(again.event) };
    case 'decided':
      return {
        is: 'refused',
        refusal: { code: 'ERR_TASK_FORBIDDEN', reason: 'this was refused before: send another event' },
      };
    default:
      return unreachable(again);
  }
}

/** A call made on the bus is always answered, and so is a renewal, also where its event is rejected. */
function rejectAdmitted(
  work: UnitOfWork,
  { refusals, answeredIn }: Books,
  record: BusRecord,
  { event, sender }: Admitted,
  refusal: Refusal,
): Answer {
  refusals.note(record, refusal, sender);
  if (event.type === 'tool.called' && answeredIn === 'delivery') {
    const { taskId, callId } = event.data;
    work.refuseCall({ taskId, callId, agent: sender }, refusal, [refusal.reason]);
  }
  if (event.type === 'lease.renewal_requested' && answeredIn === 'delivery')
    tellRefused(work, { ...event.data, agent: sender, code: refusal.code, reasons: [refusal.reason] });
  return { is: 'rejected', refusal };
}

type NotTaken = Exclude<Answer, { is: 'taken' }>;
const rejected = (code: Refusal['code'], reason: string): NotTaken => ({
  is: 'rejected',
  refusal: { code, reason },
});
const rejectedFor = (refusal: Refusal | null): NotTaken | null =>
  refusal === null ? null : { is: 'rejected', refusal };

/** @returns why not; null once the event has had its effect. */
async function apply(
  tx: Tx,
  work: UnitOfWork,
  admitted: Admitted,
  parts: BrokerParts,
  answeredIn: AnsweredIn,
): Promise<NotTaken | null> {
  const { event } = admitted;
  const by = senderOf(admitted);
  const { catalogue } = parts;
  const task = work.task(event.data.taskId);
  switch (event.type) {
    case 'task.started':
      return settle(
        work,
        task.taskId,
        decideStart(task, event.data, by, startFacts(work, event.data, by.id, parts)),
      );
    case 'task.ended':
      return settle(work, task.taskId, decideEnd(task, event.data, by, { catalogue, nowMs: work.nowMs }));
    case 'tool.called':
      return rejectedFor(await makeCall(tx, work, event.data, by, parts, answeredIn, admitted.appendedAtMs));
    case 'tool.completed': {
      if (task.declaration === null) return rejected('ERR_TASK_UNKNOWN', 'no such task was accepted');
      if (!mayReport(task.declaration, by.id, catalogue))
        return rejected('ERR_NOT_ENTITLED', 'the sender may not report on this task');
      const pin = pinRefusal(task, by.id, by.keyThumbprint);
      if (pin !== null) return rejectedFor(pin);
      reportUse(work, event.data, by, admitted.appendedAtMs, parts);
      return null;
    }
    case 'task.amended':
      return settle(
        work,
        task.taskId,
        decideAmendment(task, event.data, by, amendmentFacts(work, event.data, parts)),
      );
    case 'lease.renewal_requested':
      return rejectedFor(renewLease(work, event.data, by, parts, answeredIn));
    default:
      return unreachable(event);
  }
}

function settle(work: UnitOfWork, taskId: string, decided: Decided): NotTaken | null {
  switch (decided.is) {
    case 'rejected':
      return decided;
    case 'refused':
      work.publish(decided.event);
      work.keepInputs(decided.inputs);
      return { is: 'refused', refusal: refusalIn(decided.event) };
    case 'decided':
      for (const event of decided.events) work.record(taskId, event);
      work.keepInputs(decided.inputs);
      return null;
    default:
      return unreachable(decided);
  }
}
