/** What the broker says: which starts were accepted, which leases were meant, and what became of them. */
import type { BusRecord } from '#bus/bus.js';
import { hearAbandoned, hearIntended, hearIssued, type Step } from '#events/revocation.js';
import { unreachable } from '#events/unreachable.js';
import { consumeBatch } from '#store/consume.js';
import type { Tx } from '#store/database.js';
import type { IdlePositions } from '#store/idle-positions.js';
import { notePeerCount } from '#store/peers.js';
import { hearRecord, type BrokerEvent, type Hearing } from './heard-record.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';
import { hearAccepted, hearEndedByBroker, hearRefused, hearSuspended } from './watched-task.js';

type Heard = Extract<Hearing, { is: 'heard' }>;

/**
 * One transaction. Saying it again changes nothing, so records that the broker's relay sent twice need no inbox.
 * @param records of one topic and partition, in order.
 * @param idle takes the position behind records that say nothing to us: most of them are our own.
 */
export async function onLeaseEvents(
  records: readonly BusRecord[],
  parts: RevokerParts,
  taker: () => Taker,
  idle: IdlePositions,
): Promise<Flushed> {
  const hearings = new Map(records.map((record) => [record.offset, hearRecord(record, parts.peers)]));
  for (const record of records) tellRefused(record, hearings.get(record.offset), parts);
  let flushed: Flushed = { queued: [], work: [] };
  if (![...hearings.values()].some((hearing) => hearing.is === 'heard')) {
    idle.pass(records);
    return flushed;
  }
  await consumeBatch(parts.db, GROUP, records, async (tx, wanted) => {
    flushed = { queued: [], work: [] };
    await watchCounter(tx, wanted, hearings, parts);
    const heard = wanted.flatMap((record): Heard[] => {
      const hearing = hearings.get(record.offset);
      return hearing?.is === 'heard' ? [hearing] : [];
    });
    if (heard.length === 0) return flushed;
    const work = await UnitOfWork.begin(tx, wantedOf(heard), Date.now());
    for (const each of heard) hear(work, each, parts);
    await work.dueUnderEnded(tx);
    flushed = await work.flush(tx, taker());
    return flushed;
  });
  return flushed;
}

const aboutLease = (
  event: BrokerEvent,
): event is Extract<BrokerEvent, { type: 'lease.intended' | 'lease.issued' | 'lease.abandoned' }> =>
  event.type === 'lease.intended' || event.type === 'lease.issued' || event.type === 'lease.abandoned';

function wantedOf(heard: readonly Heard[]) {
  const ensure = new Set<string>();
  const ending: string[] = [];
  const leases: string[] = [];
  for (const { event } of heard) {
    ensure.add(event.data.taskId);
    if (event.type === 'lease.intended') for (const { taskId } of event.data.lineage) ensure.add(taskId);
    if (aboutLease(event)) leases.push(event.data.leaseId);
    else ending.push(event.data.taskId);
  }
  return { ensure: [...ensure], ending, leases, tombstonesOf: [...ensure] };
}

function hear(work: UnitOfWork, { event, ceId }: Heard, parts: RevokerParts): void {
  if (aboutLease(event)) return hearOfLease(work, event, ceId, parts);
  const task = work.task(event.data.taskId);
  const { catalogue } = parts;
  switch (event.type) {
    case 'task.accepted':
      return work.change(hearAccepted(task, event, ceId, catalogue));
    case 'task.refused':
      return work.change(hearRefused(task, event.data.causedBy, catalogue));
    case 'task.suspended':
      return work.change(hearSuspended(task, event, ceId, work.tombstones));
    case 'task.ended':
      return work.change(hearEndedByBroker(task, event.data.outcome, ceId));
    default:
      return unreachable(event);
  }
}

function hearOfLease(
  work: UnitOfWork,
  event: Extract<BrokerEvent, { type: 'lease.intended' | 'lease.issued' | 'lease.abandoned' }>,
  ceId: string,
  { log, measures }: RevokerParts,
): void {
  const { leaseId, taskId } = event.data;
  const lease = work.lease(leaseId);
  if (lease !== null && lease.taskId !== taskId)
    return log.error({ leaseId, taskId }, 'a lease was said to be of another task');
  const hearing = { tombstones: work.tombstones, ceId, nowMs: work.nowMs };
  const step = ((): Step => {
    switch (event.type) {
      case 'lease.intended':
        return hearIntended(lease, event, hearing);
      case 'lease.issued':
        return hearIssued(lease, event.data, hearing);
      case 'lease.abandoned':
        return hearAbandoned(lease, event.data, hearing);
      default:
        return unreachable(event);
    }
  })();
  if (step.lease === lease) return;
  work.step(step);
  if (step.alarm === undefined) return;
  measures.issuedAfterRemoval.inc();
  log.error({ leaseId, taskId, alarm: step.alarm }, 'a removed lease was issued: it is cut again');
}

/** A counter that goes back, with records never seen, is a restored database. */
async function watchCounter(
  tx: Tx,
  wanted: readonly BusRecord[],
  hearings: ReadonlyMap<bigint, Hearing>,
  { log }: RevokerParts,
): Promise<void> {
  const last = wanted.findLast((record) => 'verified' in (hearings.get(record.offset) ?? {}));
  const hearing = last === undefined ? undefined : hearings.get(last.offset);
  if (last === undefined || hearing === undefined || !('verified' in hearing)) return;
  const { topic, partition } = last;
  const { epoch, n } = hearing.verified.store;
  const known = await notePeerCount(tx, { topic, partition, service: 'broker', epoch, n });
  if (known !== null)
    log.warn({ topic, partition, n: String(n), known: String(known) }, 'record counter went back');
}

function tellRefused(record: BusRecord, hearing: Hearing | undefined, { log, measures }: RevokerParts): void {
  if (hearing?.is !== 'refused') return;
  const fields = { code: hearing.code, partition: record.partition, offset: String(record.offset) };
  measures.refusedRecords.inc({ code: hearing.code });
  if (hearing.authentic) log.error(fields, 'a record of the broker cannot be read');
  else log.warn(fields, 'a record that none of the services signed was passed over');
}
