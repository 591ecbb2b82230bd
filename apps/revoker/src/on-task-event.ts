/**
 * Starts and ends, read with the same eyes as the broker's. An end makes every lease under its task due in one
 * transaction; no target is waited for (rule 10). The broker is the one that records refusals: here they are counted.
 */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import type { Refusal } from '#events/refusal.js';
import { unreachable } from '#events/unreachable.js';
import { admit, type Admission, type Admitted } from '#identity/admit.js';
import type { Trust } from '#identity/trust.js';
import type { Last, Tx } from '#store/database.js';
import { Inbox } from '#store/inbox.js';
import type { Read } from '#store/readings.js';
import { keyText } from '#store/parking.js';
import type { RevokerParts } from './revoker-parts.js';
import { tasksAgentsMayEnd } from './task-rows.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';
import { asParent, hearCall, hearEnd, hearStart, type Change } from './watched-task.js';

const ENDED = wireType('task.ended');
const SAYS_WHOSE_KEY = [wireType('tool.called'), wireType('tool.completed')];
const claimOf = (record: BusRecord) => record.headers[HEADERS.type]?.toString() ?? '';

/** What cuts something does not wait for more to come. */
export const hurriesEnd = (record: BusRecord): boolean => claimOf(record) === ENDED;

const WEIGHT = { ofCalls: 0.2, ofOthers: 2 } as const;

/** What a record takes of the room of one transaction: an end makes leases due, and of most calls the position alone is written. */
export const weightOfTaskEvent = (record: BusRecord): number =>
  SAYS_WHOSE_KEY.includes(claimOf(record)) ? WEIGHT.ofCalls : WEIGHT.ofOthers;

/** `later`: a call says only whose key is whose, and in most tasks that matters to nobody here. It is verified where it does. */
export type Said = Admission | 'later';

export const readTaskEvent = (record: BusRecord, trust: Trust): Said =>
  SAYS_WHOSE_KEY.includes(claimOf(record)) ? 'later' : admit(record, trust);

/** @param batch in order within each task. */
export async function onTaskEvents(
  tx: Tx,
  batch: readonly Read<Said>[],
  parts: RevokerParts,
  taker: Taker,
): Promise<Flushed | Last<Flushed>> {
  const firm = admittedOf(batch);
  const isFirm = new Set(firm.map(({ event }) => event.data.taskId));
  // Whether calls matter is known later, and then their tasks must still be allowed to be locked.
  const tells = batch.every(({ record, said }) => said !== 'later' || isFirm.has(keyText(record.key)));
  const [read, inbox, begun] = await Promise.all([
    readCalls(tx, batch, parts.trust),
    Inbox.read(tx, firm.filter(startsOrEnds)),
    UnitOfWork.begin(tx, wantedOf(firm, tells), Date.now()),
  ]);
  const admitted = read.flatMap(({ record, said }) => {
    if (said.ok) return [{ record, event: said.admitted }];
    refused(parts, record, said.refusal, said.sender);
    return [];
  });
  if (admitted.length === 0) return { queued: [], work: [] };
  // In few tasks calls matter: only then are there more rows to be locked than those of starts and ends.
  const events = admitted.map(({ event }) => event);
  const work =
    events.length === firm.length ? begun : await UnitOfWork.begin(tx, wantedOf(events, tells), Date.now());
  for (const { record, event } of admitted) {
    const refusal = hear(work, inbox, event, parts);
    if (refusal !== null && refusal !== 'repeated') refused(parts, record, refusal, event.sender);
  }
  work.dueUnderEnded();
  return await work.flushLast(tx, taker, inbox.fresh());
}

const admittedOf = (batch: readonly Read<Said>[]): Admitted[] =>
  batch.flatMap(({ said }) => (said !== 'later' && said.ok ? [said.admitted] : []));

/** Verifies the calls in tasks whose agents may end them, and leaves the others out. */
async function readCalls(tx: Tx, batch: readonly Read<Said>[], trust: Trust): Promise<Read<Admission>[]> {
  const calls = batch.filter(({ said }) => said === 'later').map(({ record }) => keyText(record.key));
  const matter = await tasksAgentsMayEnd(tx, [...new Set(calls)]);
  for (const { said } of batch)
    if (
      said !== 'later' &&
      said.ok &&
      said.admitted.event.type === 'task.started' &&
      said.admitted.event.data.agentsMayEnd === true
    )
      matter.add(said.admitted.event.data.taskId);
  return batch.flatMap(({ record, said }) => {
    if (said !== 'later') return [{ record, said }];
    return matter.has(keyText(record.key)) ? [{ record, said: admit(record, trust) }] : [];
  });
}

/** The rest says only whose key is whose, or nothing to us, and saying it again changes nothing. */
const startsOrEnds = ({ event }: Admitted): boolean =>
  event.type === 'task.started' || event.type === 'task.ended';

function wantedOf(admitted: readonly Admitted[], tells: boolean) {
  const ensure: string[] = [];
  const lock: string[] = [];
  for (const each of admitted) {
    const { event } = each;
    (startsOrEnds(each) ? ensure : lock).push(event.data.taskId);
    if (event.type === 'task.started' && event.data.parent !== undefined) lock.push(event.data.parent.taskId);
  }
  const ended = admitted.flatMap(({ event }) =>
    event.type === 'task.ended' ? [{ what: 'task' as const, id: event.data.taskId }] : [],
  );
  return { ensure, lock, ending: ensure, telling: tells ? ended : [] };
}

/** @returns null once the event has had its effect. What was refused never enters the inbox. */
function hear(
  work: UnitOfWork,
  inbox: Inbox,
  admitted: Admitted,
  parts: RevokerParts,
): Refusal | 'repeated' | null {
  const novelty = startsOrEnds(admitted) ? inbox.novelty(admitted) : 'new';
  switch (novelty) {
    case 'repeated':
      return 'repeated';
    case 'reused':
      return { code: 'ERR_ID_REUSED', reason: 'this id was used for another event' };
    case 'new': {
      const change = changeBy(work, admitted, parts);
      if (change?.refusal !== undefined) return change.refusal;
      if (change !== null) work.change(change);
      if (startsOrEnds(admitted)) inbox.accept(admitted);
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
