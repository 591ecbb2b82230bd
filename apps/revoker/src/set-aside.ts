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
import { unlessItFails } from '#store/savepoint.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import { highestGeneration } from './tombstone-rows.js';
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
  const holds = admitted !== undefined && (await isEntitledNow(tx, admitted, parts));
  const doomed = holds ? { taskId: admitted.event.data.taskId, causedBy: admitted.ceId } : null;
  return await close(tx, { record, error, doomed }, parts, taker);
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
  const doomed = isBrokers ? { taskId: key, causedBy: verified.head.id } : null;
  return await close(tx, { record, error, doomed }, parts, taker);
}

/** Reading it may be what fails. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

interface Failed {
  record: BusRecord;
  error: unknown;
  /** Whose leases are cut; nobody's where the record may not do that. */
  doomed: { taskId: string; causedBy: string } | null;
}

async function close(
  tx: Tx,
  { record, error, doomed }: Failed,
  parts: RevokerParts,
  taker: Taker,
): Promise<Aside<Flushed>> {
  const holds = doomed !== null;
  const parked = await park(tx, GROUP, [{ record, why: 'bug', ...failureText(error), holds }]);
  const told = await enqueue(tx, parkedRecords(parked, { group: GROUP, atMs: Date.now() }));
  if (doomed === null) return { holds, effects: { queued: told, work: [] } };
  const { taskId, causedBy } = doomed;
  const cut = async () => {
    const work = await begin(tx, taskId);
    const generationBelow = (await highestGeneration(tx, taskId)) + 1;
    work.change({
      task: work.task(taskId),
      suspension: { taskId, generationBelow, cause: 'parked', causedBy },
    });
    work.dueUnderEnded();
    return await work.flush(tx, taker);
  };
  const flushed = await unlessItFails(tx, cut, NOTHING, tellBroken(parts));
  return { holds, effects: { ...flushed, queued: [...told, ...flushed.queued] } };
}

const NOTHING: Flushed = { queued: [], work: [] };

const begin = (tx: Tx, taskId: string): Promise<UnitOfWork> =>
  UnitOfWork.begin(tx, { ensure: [taskId], ending: [taskId], tombstonesOf: [taskId] }, Date.now());

/** What is wrong with the record may be what is wrong with its task: it must make way all the same, or all others wait for it. */
const tellBroken =
  ({ log }: RevokerParts) =>
  (err: unknown) =>
    log.error({ err }, 'the leases of a parked record cannot be read or cut');

async function isEntitledNow(tx: Tx, admitted: Admitted, parts: RevokerParts): Promise<boolean> {
  const { taskId } = admitted.event.data;
  const look = async () => isEntitled((await begin(tx, taskId)).task(taskId), admitted, parts);
  return await unlessItFails(tx, look, false, tellBroken(parts));
}

function isEntitled(
  task: WatchedTask,
  { event, sender, proofKeyThumbprint }: Admitted,
  { catalogue }: RevokerParts,
): boolean {
  const start = startOf(task);
  const pins = start === null ? task.pins : { ...task.pins, [start.orchestrator]: start.keyThumbprint };
  return (
    mayAct(start, event.type, sender, catalogue) &&
    pinRefusal({ ...task, pins }, sender, proofKeyThumbprint) === null
  );
}
