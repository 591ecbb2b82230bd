/**
 * Records that could not be handled. What they would have said may have been an end, so the leases of their task are cut, by
 * generation: those of a later one live. That takes a record of the broker, or a sender who is entitled in that task.
 */
import type { BusRecord } from '#bus/bus.js';
import { mayAct, pinRefusal } from '#events/entitlement.js';
import { uuidV7 } from '#events/inbound.js';
import { admit, type Admitted } from '#identity/admit.js';
import { verifyRecord } from '#identity/records.js';
import type { Tx } from '#store/database.js';
import { parkedRecords } from '#store/dead-letter-records.js';
import { failureText } from '#store/failure-text.js';
import type { Aside } from '#store/intake-parts.js';
import { enqueue } from '#store/outbox.js';
import { keyText, park } from '#store/parking.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';
import { startOf, type WatchedTask } from './watched-task.js';

export async function setTaskEventAside(
  tx: Tx,
  record: BusRecord,
  error: unknown,
  parts: RevokerParts,
  taker: Taker,
): Promise<Aside<Flushed>> {
  const admitted = quietly(() => {
    const admission = admit(record, parts.trust);
    return admission.ok ? admission.admitted : undefined;
  });
  const taskId = admitted?.event.data.taskId;
  const work = await begin(tx, taskId);
  const holds = admitted !== undefined && isEntitled(work.task(admitted.event.data.taskId), admitted, parts);
  return await close(tx, work, {
    record,
    error,
    ...(holds ? { taskId, causedBy: admitted.ceId } : {}),
    taker,
  });
}

export async function setLeaseEventAside(
  tx: Tx,
  record: BusRecord,
  error: unknown,
  parts: RevokerParts,
  taker: Taker,
): Promise<Aside<Flushed>> {
  const verified = quietly(() => verifyRecord(record, parts.peers));
  const key = keyText(record.key);
  const isBrokers = verified?.ok === true && verified.service === 'broker' && uuidV7.safeParse(key).success;
  const caused = isBrokers ? { taskId: key, causedBy: verified.head.id } : {};
  return await close(tx, await begin(tx, caused.taskId), { record, error, ...caused, taker });
}

/** Reading it may be what fails. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const begin = (tx: Tx, taskId: string | undefined): Promise<UnitOfWork> => {
  const tasks = taskId === undefined ? [] : [taskId];
  return UnitOfWork.begin(tx, { ensure: tasks, ending: tasks, tombstonesOf: tasks }, Date.now());
};

interface Failed {
  record: BusRecord;
  error: unknown;
  /** Whose leases are cut; none where the record may not do that. */
  taskId?: string | undefined;
  causedBy?: string;
  taker: Taker;
}

async function close(
  tx: Tx,
  work: UnitOfWork,
  { record, error, taskId, causedBy = '', taker }: Failed,
): Promise<Aside<Flushed>> {
  const holds = taskId !== undefined;
  const parked = await park(tx, GROUP, [{ record, why: 'bug', ...failureText(error), holds }]);
  const told = await enqueue(tx, parkedRecords(parked, { group: GROUP, atMs: work.nowMs }));
  if (holds) {
    const generationBelow = (await highestGeneration(tx, taskId)) + 1;
    const suspension = { taskId, generationBelow, cause: 'parked', causedBy } as const;
    work.change({ task: work.task(taskId), suspension });
    await work.dueUnderEnded(tx);
  }
  const flushed = await work.flush(tx, taker);
  return { holds, effects: { ...flushed, queued: [...told, ...flushed.queued] } };
}

/** The highest generation heard of: what the broker counts on from there was decided after it heard of this. */
async function highestGeneration(tx: Tx, taskId: string): Promise<number> {
  const { rows } = await tx.query<{ generation: number }>(
    `SELECT greatest(1, (SELECT max(generation) FROM lease_lineage WHERE task_id = $1),
                        (SELECT max(generation_below) FROM tombstone WHERE task_id = $1)) AS generation`,
    [taskId],
  );
  return rows[0]?.generation ?? 1;
}

function isEntitled(
  task: WatchedTask,
  { event, sender, proofKeyThumbprint }: Admitted,
  { catalogue }: RevokerParts,
): boolean {
  const start = startOf(task);
  const pins = start === null ? task.pins : { ...task.pins, [start.orchestrator]: start.keyThumbprint };
  return (
    mayAct(start, event.type, sender, catalogue) && pinRefusal(pins, sender, proofKeyThumbprint) === null
  );
}
