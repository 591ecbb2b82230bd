/**
 * After a restore of the broker's database. What it has forgotten lies on the credential topic, behind the position that was
 * restored with it: no lease was ever made whose intent is not there (protocol rule 2). Nothing of the old life goes on. Limits
 * that were used up, keys that were pinned, ends that were heard are forgotten, so every task that may be open is ended, and
 * every lease that is not known is abandoned: the revoker cuts them. Task events are then read again from the restored
 * position: they meet tasks that are over, and no call is decided a second time.
 *
 * Doing it twice does nothing more, so a crash in the middle is no matter. Docs: docs/adr/0009-after-a-restore.md.
 */
import type { Bus, BusRecord } from '#bus/bus.js';
import { awaitRecord, readToEnd } from '#bus/read-to-end.js';
import { shortType, wireType } from '#events/inbound.js';
import { outboundSchemas, type EventOf } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { verifyRecord } from '#identity/records.js';
import { transact, type Tx } from '#store/database.js';
import { readPositions } from '#store/offsets.js';
import type { QueuedRecord } from '#store/outbox.js';
import { enqueue } from '#store/outbox.js';
import { fitPositions } from '#store/store-meta.js';
import type { BrokerParts } from './broker-parts.js';
import { forgottenLeases, type Intended } from './call-rows.js';
import { credentialRecord, GROUP } from './records.js';
import { openTasks } from './task-rows.js';
import { startAnew } from './tokens/open-tokens.js';
import { UnitOfWork } from './unit-of-work.js';

const AT_ONCE = 100;
const WHY = 'store_restored';

/** Resolves once every target was swept: until then nothing may be issued. @param epoch of this life */
export async function recoverStore(parts: BrokerParts, bus: Bus, epoch: string): Promise<void> {
  const accepted = await abandonForgotten(parts, bus, epoch);
  await endAll(parts, accepted);
  if (parts.tokens !== null) await startAnew(parts.tokens);
  await transact(parts.db, async (tx) =>
    fitPositions(tx, GROUP, await bus.ends([TASK_EVENTS, CREDENTIAL_EVENTS])),
  );
  const from = await bus.ends([CREDENTIAL_EVENTS]);
  await tellRestored(parts, epoch);
  parts.log.warn({ epoch }, 'waiting until the revoker has swept every target');
  await awaitRecord(bus, { group: `${GROUP}.sweep`, from }, (record) => isSwept(record, parts, epoch));
}

/** @returns ids of the tasks that were accepted, or had a lease, in the life that is forgotten. */
async function abandonForgotten(parts: BrokerParts, bus: Bus, epoch: string): Promise<Set<string>> {
  const ends = await bus.ends([CREDENTIAL_EVENTS]);
  const stored = await readPositions(parts.db, GROUP, ends);
  const tasks = new Set<string>();
  const from = ({ topic, partition }: { topic: string; partition: number }) =>
    stored.find((position) => position.topic === topic && position.partition === partition)?.next ?? 0n;
  await readToEnd(bus, { group: `${GROUP}.recover`, topics: [CREDENTIAL_EVENTS], from }, async (records) => {
    const said = records.flatMap((record) => forgotten(record, parts, epoch) ?? []);
    for (const { data } of said) tasks.add(data.taskId);
    const heard = said.flatMap((event) => (event.type === 'lease.intended' ? [event.data] : []));
    // The relay may have sent one twice.
    const intents = [...new Map(heard.map((intent) => [intent.leaseId, intent])).values()];
    for (let i = 0; i < intents.length; i += AT_ONCE) await abandon(parts, intents.slice(i, i + AT_ONCE));
  });
  return tasks;
}

type Forgotten = EventOf<'task.accepted'> | EventOf<'lease.intended'>;

/** What the broker said in another life of what could still be alive. */
function forgotten(record: BusRecord, { peers, log }: BrokerParts, epoch: string): Forgotten | null {
  const verified = verifyRecord(record, peers);
  if (!verified.ok || verified.service !== 'broker' || verified.store.epoch === epoch) return null;
  const type = shortType(verified.head.type);
  if (type !== 'task.accepted' && type !== 'lease.intended') return null;
  const data = outboundSchemas[type].safeParse(jsonOf(record));
  if (data.success) return { type, data: data.data } as Forgotten;
  log.error(
    { offset: String(record.offset), partition: record.partition },
    'a record of ours cannot be read',
  );
  return null;
}

/** Agents may hold their credentials: each is told that its own is void (rule 11). */
async function abandon(parts: BrokerParts, intents: readonly Intended[]): Promise<void> {
  const queued = await transact(parts.db, async (tx) => {
    const taskIds = intents.map(({ taskId }) => taskId);
    const work = await UnitOfWork.begin(tx, { taskIds, newTaskIds: taskIds });
    for (const { leaseId, taskId, callId, generation, tenant } of await forgottenLeases(tx, intents)) {
      work.record(taskId, {
        type: 'lease.abandoned',
        data: {
          ...{ taskId, generation, ...(tenant === undefined ? {} : { tenant }) },
          ...{ actor: serviceSource('broker'), at: new Date(work.nowMs).toISOString() },
          ...{ leaseId, callId, answered: false, why: WHY },
        },
      });
      work.deliver('lease.ended', { taskId, leaseId, cause: 'abandoned' });
    }
    return await work.flush(parts.instanceId);
  });
  await parts.relay.send(queued);
}

async function endAll(parts: BrokerParts, accepted: ReadonlySet<string>): Promise<void> {
  const { db, relay, instanceId, log } = parts;
  const taskIds = [...new Set([...(await transact(db, openTasks)), ...accepted])];
  for (let i = 0; i < taskIds.length; i += AT_ONCE) {
    const some = taskIds.slice(i, i + AT_ONCE);
    await relay.send(await transact(db, (tx) => end(tx, some, instanceId)));
  }
  log.warn({ tasks: taskIds.length }, 'every task that was open, or may have been, is ended');
}

async function end(tx: Tx, taskIds: readonly string[], instanceId: string): Promise<QueuedRecord[]> {
  const work = await UnitOfWork.begin(tx, { taskIds, newTaskIds: taskIds });
  for (const taskId of taskIds) {
    const { status, generation, declaration } = work.task(taskId);
    if (status === 'ended') continue;
    work.record(taskId, {
      type: 'task.ended',
      data: {
        ...{ taskId, generation, ...(declaration === null ? {} : { tenant: declaration.tenant }) },
        ...{ actor: serviceSource('broker'), at: new Date(work.nowMs).toISOString(), outcome: 'failed' },
      },
    });
  }
  return await work.flush(instanceId);
}

async function tellRestored({ db, relay }: BrokerParts, epoch: string): Promise<void> {
  const nowMs = Date.now();
  const event: EventOf<'store.restored'> = {
    type: 'store.restored',
    data: {
      ...{
        taskId: 'store',
        generation: 0,
        actor: serviceSource('broker'),
        at: new Date(nowMs).toISOString(),
      },
      ...{ service: 'broker', epoch, swept: false },
    },
  };
  await relay.send(await transact(db, (tx) => enqueue(tx, [credentialRecord(event, nowMs)])));
}

function isSwept(record: BusRecord, { peers }: BrokerParts, epoch: string): boolean {
  const verified = verifyRecord(record, peers);
  if (!verified.ok || verified.service !== 'revoker' || verified.head.type !== wireType('store.restored'))
    return false;
  const data = outboundSchemas['store.restored'].safeParse(jsonOf(record));
  return data.success && data.data.service === 'broker' && data.data.epoch === epoch && data.data.swept;
}

function jsonOf({ value }: BusRecord): unknown {
  try {
    return JSON.parse(value?.toString() ?? '');
  } catch {
    return undefined;
  }
}
