/** What the broker says: which starts were accepted, which leases were meant, and what became of them. */
import type { BusRecord } from '#bus/bus.js';
import {
  hearAbandoned,
  hearGivenUp,
  hearIntended,
  hearIssued,
  hearRenewed,
  makeDue,
  type Step,
} from '#events/revocation.js';
import { unreachable } from '#events/unreachable.js';
import type { Last, Tx } from '#store/database.js';
import type { Read } from '#store/readings.js';
import { notePeerRecords } from '#store/peers.js';
import { order } from '#store/store-meta.js';
import { claimedType, type BrokerEvent, type Hearing } from './heard-record.js';
import { readStanding, type Against } from './orders/standing-orders.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';
import {
  hearAccepted,
  hearAmended,
  hearEndedByBroker,
  hearRefused,
  hearRevoked,
  hearSuspended,
} from './watched-task.js';

type Heard = Extract<Hearing, { is: 'heard' }>;

/** A key that others have signs whatever they like, so no token's end is the end of it: by then nobody publishes it any more. */
const KEY_REMEMBERED_MS = 30 * 86_400_000;

/** By what a record claims to be: what says nothing to us need not be verified. */
export const concernsLeases = (record: BusRecord): boolean => claimedType(record) !== undefined;

const WEIGHT = { ofOurs: 2, ofOthers: 0.05 } as const;

/** What a record takes of the room of one transaction: of what says nothing to us the position alone is written. */
export const weightOfLeaseEvent = (record: BusRecord): number =>
  concernsLeases(record) ? WEIGHT.ofOurs : WEIGHT.ofOthers;

/** A lease that was meant, and one that was issued, ask nothing of us yet. */
export function hurriesLease(record: BusRecord): boolean {
  const type = claimedType(record);
  return type !== undefined && type !== 'lease.intended' && type !== 'lease.issued';
}

/** Saying it again changes nothing, so records that the broker's relay sent twice need no inbox. */
export async function onLeaseEvents(
  tx: Tx,
  batch: readonly Read<Hearing>[],
  parts: RevokerParts,
  taker: Taker,
): Promise<Last<Flushed>> {
  for (const each of batch) tellRefused(each, parts);
  const all = batch.flatMap(({ said }) => (said.is === 'heard' ? [said] : []));
  await orderSweeps(tx, all);
  const heard = all.filter(({ event }) => event.type !== 'store.restored');
  const [work, against] = await Promise.all([
    UnitOfWork.begin(tx, wantedOf(heard), Date.now()),
    readStanding(tx, intendedIn(heard)),
    watchCounters(tx, batch, parts),
  ]);
  for (const each of heard) hear(work, each, parts);
  for (const { event } of heard) endOfOrdered(work, event, against);
  work.dueUnderEnded();
  return await work.flushLast(tx, taker);
}

/** The broker waits for it. */
async function orderSweeps(tx: Tx, heard: readonly Heard[]): Promise<void> {
  const sweeps = heard.flatMap(({ event: { type, data } }) =>
    type === 'store.restored' && !data.swept ? [{ service: data.service, epoch: data.epoch }] : [],
  );
  if (sweeps.length > 0) await order(tx, { sweeps });
}

type LeaseTold = Extract<
  BrokerEvent,
  {
    type:
      | 'lease.intended'
      | 'lease.issued'
      | 'lease.abandoned'
      | 'lease.renewed'
      | 'lease.returned'
      | 'approval.withdrawn';
  }
>;
const ABOUT_LEASES = [
  'lease.intended',
  'lease.issued',
  'lease.abandoned',
  'lease.renewed',
  'lease.returned',
  'approval.withdrawn',
];
const aboutLease = (event: BrokerEvent): event is LeaseTold => ABOUT_LEASES.includes(event.type);

const intendedIn = (heard: readonly Heard[]) =>
  heard.flatMap(({ event }) => (event.type === 'lease.intended' ? [event.data] : []));

/** What an operator ordered before this lease was heard of reaches it, too. */
function endOfOrdered(work: UnitOfWork, event: BrokerEvent, against: Against): void {
  if (event.type !== 'lease.intended') return;
  const why = against(event.data);
  const lease = why === null ? null : work.lease(event.data.leaseId);
  if (why !== null && lease?.state === 'known') work.step(makeDue(lease, why, work.nowMs));
}

function wantedOf(heard: readonly Heard[]) {
  const ensure = new Set<string>();
  const ending: string[] = [];
  const leases: string[] = [];
  for (const { event } of heard) {
    if (event.type === 'signing_key.rotated') continue;
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
    case 'task.amended':
      return work.change(hearAmended(task, event, ceId, work.tombstones));
    case 'task.suspended':
      return work.change(hearSuspended(task, event, ceId, work.tombstones));
    case 'task.revoked':
      return work.change(hearRevoked(task, event, ceId, work.tombstones));
    case 'task.ended':
      return work.change(hearEndedByBroker(task, event.data.outcome, ceId));
    case 'signing_key.rotated':
      return endOfKey(work, event.data.compromised, ceId);
    case 'store.restored':
      return;
    default:
      return unreachable(event);
  }
}

function endOfKey(work: UnitOfWork, kid: string | undefined, causedBy: string): void {
  if (kid === undefined) return;
  const notAfterMs = work.nowMs + KEY_REMEMBERED_MS;
  work.revoke({ what: 'key', id: kid, generationBelow: null, notAfterMs, reason: 'compromised', causedBy });
}

function hearOfLease(
  work: UnitOfWork,
  event: LeaseTold,
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
      case 'lease.renewed':
        return hearRenewed(lease, event.data, hearing);
      case 'lease.returned':
        return hearGivenUp(lease, event.data, 'returned', hearing);
      case 'approval.withdrawn':
        return hearGivenUp(lease, event.data, 'approval_withdrawn', hearing);
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

async function watchCounters(
  tx: Tx,
  batch: readonly Read<Hearing>[],
  { log, measures }: RevokerParts,
): Promise<void> {
  const records = batch.flatMap(({ record: { topic, partition }, said }) =>
    'verified' in said
      ? [{ topic, partition, service: 'broker', ...said.verified.store, ceId: said.verified.head.id }]
      : [],
  );
  for (const { topic, partition, epoch, n } of await notePeerRecords(tx, records)) {
    measures.peerRestored.inc();
    log.error(
      { topic, partition, epoch, n: String(n) },
      "the broker's database was restored, and does not know it",
    );
  }
}

function tellRefused({ record, said }: Read<Hearing>, { log, measures }: RevokerParts): void {
  if (said.is !== 'refused') return;
  const fields = { code: said.code, partition: record.partition, offset: String(record.offset) };
  measures.refusedRecords.inc({ code: said.code });
  if (said.authentic) log.error(fields, 'a record of the broker cannot be read');
  else log.warn(fields, 'a record that none of the services signed was passed over');
}
