/**
 * Starts and ends, read with the same eyes as the broker's. An end makes every lease under its task due in one
 * transaction; no target is waited for (rule 10). The broker is the one that records refusals: here they are counted.
 */
import type { BusRecord } from '#bus/bus.js';
import type { Refusal } from '#events/refusal.js';
import { unreachable } from '#events/unreachable.js';
import { admit, type Admitted } from '#identity/admit.js';
import { consumeBatch } from '#store/consume.js';
import { Inbox } from '#store/inbox.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';
import { asParent, hearCall, hearEnd, hearStart, type Change } from './watched-task.js';

/** One transaction. @param records of one topic and partition, in order. */
export async function onTaskEvents(
  records: readonly BusRecord[],
  parts: RevokerParts,
  taker: () => Taker,
): Promise<Flushed> {
  const admitted = new Map<bigint, Admitted>();
  for (const record of records) {
    const admission = admit(record, parts.trust);
    if (admission.ok) admitted.set(record.offset, admission.admitted);
    else refused(parts, record, admission.refusal, admission.sender);
  }
  let flushed: Flushed = { queued: [], work: [] };
  await consumeBatch(parts.db, GROUP, records, async (tx, wanted) => {
    flushed = { queued: [], work: [] };
    const batch = wanted.flatMap((record) => {
      const event = admitted.get(record.offset);
      return event === undefined ? [] : [{ record, event }];
    });
    if (batch.length === 0) return flushed;
    const inbox = await Inbox.read(
      tx,
      batch.map(({ event }) => event),
    );
    const work = await UnitOfWork.begin(tx, wantedOf(batch.map(({ event }) => event)), Date.now());
    for (const { record, event } of batch) {
      const refusal = hear(work, inbox, event, parts);
      if (refusal === null) inbox.accept(event);
      else if (refusal !== 'repeated') refused(parts, record, refusal, event.sender);
    }
    await inbox.write(tx);
    await work.dueUnderEnded(tx);
    flushed = await work.flush(tx, taker());
    return flushed;
  });
  if (flushed.work.length > 0) faultPoint('end.after_commit');
  return flushed;
}

function wantedOf(admitted: readonly Admitted[]) {
  const ensure: string[] = [];
  const lock: string[] = [];
  for (const { event } of admitted) {
    const ends = event.type === 'task.started' || event.type === 'task.ended';
    (ends ? ensure : lock).push(event.data.taskId);
    if (event.type === 'task.started' && event.data.parent !== undefined) lock.push(event.data.parent.taskId);
  }
  return { ensure, lock, ending: ensure };
}

/** @returns null once the event has had its effect. What was refused never enters the inbox. */
function hear(
  work: UnitOfWork,
  inbox: Inbox,
  admitted: Admitted,
  parts: RevokerParts,
): Refusal | 'repeated' | null {
  const novelty = inbox.novelty(admitted);
  switch (novelty) {
    case 'repeated':
      return 'repeated';
    case 'reused':
      return { code: 'ERR_ID_REUSED', reason: 'this id was used for another event' };
    case 'new': {
      const change = changeBy(work, admitted, parts);
      if (change?.refusal !== undefined) return change.refusal;
      if (change !== null) work.change(change);
      return null;
    }
    default:
      return unreachable(novelty);
  }
}

/** @returns null for what says nothing about who may end the task. */
function changeBy(work: UnitOfWork, admitted: Admitted, { catalogue }: RevokerParts): Change | null {
  const { event } = admitted;
  const by = {
    id: admitted.sender,
    keyThumbprint: admitted.proofKeyThumbprint,
    ceId: admitted.ceId,
  };
  const task = work.task(event.data.taskId);
  switch (event.type) {
    case 'task.started': {
      const parent = asParent(work.watched(event.data.parent?.taskId));
      return hearStart(task, event.data, by, { catalogue, parent });
    }
    case 'task.ended':
      return hearEnd(task, event.data.outcome, by, catalogue);
    case 'tool.called':
    case 'tool.completed':
      return hearCall(task, by);
    case 'task.amended':
    case 'lease.renewal_requested':
      return null;
    default:
      return unreachable(event);
  }
}

function refused(
  { log, measures }: RevokerParts,
  record: BusRecord,
  refusal: Refusal,
  sender?: string,
): void {
  measures.refusedTaskEvents.inc({ code: refusal.code });
  log.info(
    {
      code: refusal.code,
      partition: record.partition,
      offset: String(record.offset),
      ...(sender === undefined ? {} : { sender }),
    },
    'a task event was refused',
  );
}
