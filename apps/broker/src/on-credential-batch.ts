/** What the revoker says: a lease it goes for is never issued any more, and its agent is told (protocol rules 3 and 11). */
import type { BusRecord } from '#bus/bus.js';
import { outboundSchemas, type EventOf } from '#events/outbound.js';
import { wireType } from '#events/inbound.js';
import { serviceSource } from '#events/services.js';
import { verifyRecord, type VerifiedRecord } from '#identity/records.js';
import { consumeBatch } from '#store/consume.js';
import type { Tx } from '#store/database.js';
import type { IdlePositions } from '#store/idle-positions.js';
import { Inbox } from '#store/inbox.js';
import { notePeerCount } from '#store/peers.js';
import type { BrokerParts } from './broker-parts.js';
import { lockLeases, markCut } from './call-rows.js';
import { GROUP, sha256Hex } from './records.js';
import { UnitOfWork } from './unit-of-work.js';

const REQUESTED = wireType('lease.revocation_requested');

interface Heard {
  record: BusRecord;
  verified: VerifiedRecord;
}

/** Resolves after the commit. @param idle takes the position behind records that ask nothing: most of them are our own. */
export async function onCredentialBatch(
  records: readonly BusRecord[],
  parts: BrokerParts,
  idle: IdlePositions,
): Promise<void> {
  const heard = records.flatMap((record) => hear(record, parts));
  if (!heard.some(({ verified }) => verified.head.type === REQUESTED)) return idle.pass(records);
  const { queued } = await consumeBatch(parts.db, GROUP, records, async (tx, wanted) => {
    const from = wanted[0]?.offset;
    const fresh = from === undefined ? [] : heard.filter(({ record }) => record.offset >= from);
    await watchCounter(tx, fresh, parts);
    const requests = await newRequests(tx, fresh);
    if (requests.length === 0) return { queued: [] };
    return { queued: await obey(tx, requests, parts) };
  });
  void parts.relay.send(queued);
}

/** Our own records come back on this topic, and others' are none of our business. */
function hear(record: BusRecord, { peers, log }: BrokerParts): Heard[] {
  const verified = verifyRecord(record, peers);
  if (verified.ok) return verified.service === 'revoker' ? [{ record, verified }] : [];
  log.warn(
    { code: verified.refusal.code, partition: record.partition, offset: String(record.offset) },
    'a record that none of the services signed was passed over',
  );
  return [];
}

async function watchCounter(tx: Tx, heard: readonly Heard[], { log }: BrokerParts): Promise<void> {
  const last = heard.at(-1);
  if (last === undefined) return;
  const { topic, partition } = last.record;
  const { epoch, n } = last.verified.store;
  const known = await notePeerCount(tx, { topic, partition, service: 'revoker', epoch, n });
  if (known !== null)
    log.warn({ topic, partition, n: String(n), known: String(known) }, 'a record counter went back');
}

type Request = EventOf<'lease.revocation_requested'>;

async function newRequests(tx: Tx, heard: readonly Heard[]): Promise<Request[]> {
  const requests = heard.filter(({ verified }) => verified.head.type === REQUESTED);
  const entryOf = ({ record, verified }: Heard) => ({
    sender: serviceSource('revoker'),
    ceId: verified.head.id,
    wireType: REQUESTED,
    valueSha256: sha256Hex(record.value ?? ''),
  });
  const inbox = await Inbox.read(tx, requests.map(entryOf));
  const fresh = requests.flatMap((each): Request[] => {
    if (inbox.novelty(entryOf(each)) !== 'new') return [];
    inbox.accept(entryOf(each));
    const data = outboundSchemas['lease.revocation_requested'].safeParse(jsonOf(each.record));
    return data.success ? [{ type: 'lease.revocation_requested', data: data.data }] : [];
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

async function obey(tx: Tx, requests: readonly Request[], { instanceId }: BrokerParts) {
  const work = await UnitOfWork.begin(tx, { taskIds: requests.map(({ data }) => data.taskId) });
  const leases = await lockLeases(
    tx,
    requests.map(({ data }) => data.leaseId),
  );
  const cut: string[] = [];
  for (const request of requests) {
    const { leaseId, taskId, cause } = request.data;
    const lease = leases.get(leaseId)?.lease;
    if (lease === undefined || lease.taskId !== taskId || lease.cutHeard || cut.includes(leaseId)) continue;
    cut.push(leaseId);
    work.record(taskId, request);
    if (lease.state === 'issued') work.deliver('lease.ended', { taskId, leaseId, cause });
  }
  await markCut(tx, cut);
  return await work.flush(instanceId);
}
