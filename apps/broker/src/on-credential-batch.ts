/**
 * What the revoker says: a lease it goes for is never issued any more, and its agent is told (protocol rules 3 and 11); operators' orders
 * about tasks and agents, which it has carried out already.
 */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { outboundSchemas, type EventOf } from '#events/outbound.js';
import { shortType } from '#events/inbound.js';
import { decideTaskRevocation } from '#events/revoke-task.js';
import { serviceSource } from '#events/services.js';
import { verifyRecord, type VerifiedRecord } from '#identity/records.js';
import type { Tx } from '#store/database.js';
import { Inbox } from '#store/inbox.js';
import { sha256Hex } from '#store/parking.js';
import { notePeerRecords } from '#store/peers.js';
import { hearOfAgents } from './agents/standing-rows.js';
import type { BrokerParts } from './broker-parts.js';
import { lockLeases, markCut } from './call-rows.js';
import type { TaskEffects } from './on-task-batch.js';
import { noteUnused } from './report-use.js';
import { UnitOfWork } from './unit-of-work.js';

const ASKS = [
  'lease.revocation_requested',
  'revocation.ordered',
  'agent.revoked',
  'agent.reinstated',
] as const;
type AskedType = (typeof ASKS)[number];

function askedType(record: BusRecord): AskedType | undefined {
  const claimed = shortType(record.headers[HEADERS.type]?.toString() ?? '');
  return ASKS.find((type) => type === claimed);
}

export interface Heard {
  record: BusRecord;
  verified: VerifiedRecord;
}

/** By what a record claims to be: most on this topic are our own, and what is not asked of us need not be verified. */
export const asksOfBroker = (record: BusRecord): boolean => askedType(record) !== undefined;

/** What is not asked of us takes room for its position alone. */
export const weightOfRequest = (record: BusRecord): number => (asksOfBroker(record) ? 1 : 0.05);

/** @returns null for what the revoker did not write. */
export function hearRequest(record: BusRecord, { peers, log }: BrokerParts): Heard | null {
  if (!asksOfBroker(record)) return null;
  const verified = verifyRecord(record, peers);
  if (verified.ok) return verified.service === 'revoker' ? { record, verified } : null;
  log.warn(
    { code: verified.refusal.code, partition: record.partition, offset: String(record.offset) },
    'a record that none of the services signed was passed over',
  );
  return null;
}

/** What is to be sent and counted once the transaction is committed. */
export type CutEffects = Pick<TaskEffects, 'queued' | 'told'>;

export async function onCredentialBatch(
  tx: Tx,
  heard: readonly Heard[],
  parts: BrokerParts,
): Promise<CutEffects> {
  await watchCounters(tx, heard, parts);
  const requests = await newRequests(tx, heard);
  return requests.length === 0 ? { queued: [], told: [] } : await obey(tx, requests, parts);
}

async function watchCounters(tx: Tx, heard: readonly Heard[], { log, measures }: BrokerParts): Promise<void> {
  const records = heard.map(({ record: { topic, partition }, verified: { store, head } }) => ({
    ...{ topic, partition, service: 'revoker', ...store, ceId: head.id },
  }));
  for (const { topic, partition, epoch, n } of await notePeerRecords(tx, records)) {
    measures.peerRestored();
    log.error(
      { topic, partition, epoch, n: String(n) },
      "the revoker's database was restored, and does not know it",
    );
  }
}

type Request = { [T in AskedType]: EventOf<T> & { ceId: string } }[AskedType];
type Cut = Extract<Request, { type: 'lease.revocation_requested' }>;

async function newRequests(tx: Tx, heard: readonly Heard[]): Promise<Request[]> {
  const entryOf = ({ record, verified }: Heard) => ({
    sender: serviceSource('revoker'),
    ceId: verified.head.id,
    wireType: verified.head.type,
    valueSha256: sha256Hex(record.value ?? ''),
  });
  const inbox = await Inbox.read(tx, heard.map(entryOf));
  const fresh = heard.flatMap((each): Request[] => {
    if (inbox.novelty(entryOf(each)) !== 'new') return [];
    inbox.accept(entryOf(each));
    const type = askedType(each.record);
    const read = type === undefined ? undefined : outboundSchemas[type].safeParse(jsonOf(each.record));
    const { id: ceId } = each.verified.head;
    return read?.success === true ? [{ type, data: read.data, ceId } as Request] : [];
  });
  await inbox.write(tx);
  return fresh;
}

function jsonOf(record: BusRecord): unknown {
  try {
    return JSON.parse(record.value?.toString() ?? '');
  } catch {
    return null;
  }
}

async function obey(
  tx: Tx,
  requests: readonly Request[],
  { instanceId, drift }: BrokerParts,
): Promise<CutEffects> {
  const cuts = requests.filter((request): request is Cut => request.type === 'lease.revocation_requested');
  const ofTasks = requests.filter(
    ({ type, data }) =>
      type === 'lease.revocation_requested' || (type === 'revocation.ordered' && data.scope === 'task'),
  );
  const work = await UnitOfWork.begin(tx, { taskIds: ofTasks.map(({ data }) => data.taskId) });
  await cutLeases(tx, work, cuts, drift);
  for (const request of requests) obeyOrder(work, request);
  await hearOfAgents(
    tx,
    requests.filter((request) => request.type === 'agent.revoked' || request.type === 'agent.reinstated'),
  );
  return { queued: await work.flush(instanceId), told: work.told };
}

async function cutLeases(
  tx: Tx,
  work: UnitOfWork,
  requests: readonly Cut[],
  drift: BrokerParts['drift'],
): Promise<void> {
  const leases = await lockLeases(
    tx,
    requests.map(({ data }) => data.leaseId),
  );
  const cut: string[] = [];
  for (const { type, data } of requests) {
    const { leaseId, taskId, cause, causedBy } = data;
    const { lease, useReported = false } = leases.get(leaseId) ?? {};
    if (lease === undefined || lease.taskId !== taskId || lease.cutHeard || cut.includes(leaseId)) continue;
    cut.push(leaseId);
    work.record(taskId, { type, data });
    if (lease.state !== 'issued') continue;
    work.deliver('lease.ended', { taskId, leaseId, cause });
    noteUnused(work, { ...lease, useReported }, { cause, causedBy }, drift);
  }
  await markCut(tx, cut);
}

/** Of one task: the revoker cuts what it knows, and what is decided from now on is of a generation that lives. */
function obeyOrder(work: UnitOfWork, request: Request): void {
  if (request.type !== 'revocation.ordered' || request.data.scope !== 'task') return;
  const { taskId } = request.data;
  for (const event of decideTaskRevocation(work.task(taskId), request, {
    ceId: request.ceId,
    nowMs: work.nowMs,
  }))
    work.record(taskId, event);
}
