/**
 * Records that could not be handled. The task of one fails closed, for nobody knows what it would have said, an end for
 * instance: it is suspended, which cuts its leases, and later records of it wait. That takes a sender who is authenticated and
 * entitled there; anybody else's record is put away and the task goes on.
 */
import type { BusRecord } from '#bus/bus.js';
import { mayAct, pinRefusal } from '#events/entitlement.js';
import type { Task } from '#events/task.js';
import { admit, type Admission, type Admitted } from '#identity/admit.js';
import { answerOf, type Tx } from '#store/database.js';
import { parkedRecords } from '#store/dead-letter-records.js';
import { failureText } from '#store/failure-text.js';
import type { Aside } from '#store/intake-parts.js';
import type { Read } from '#store/readings.js';
import { park } from '#store/parking.js';
import { unlessItFails } from '#store/savepoint.js';
import type { BrokerParts } from './broker-parts.js';
import type { CutEffects } from './on-credential-batch.js';
import { onTaskBatch, type TaskEffects } from './on-task-batch.js';
import { GROUP } from './records.js';
import { suspendParked } from './suspend-task.js';
import { UnitOfWork } from './unit-of-work.js';

export async function setAside(
  tx: Tx,
  record: BusRecord,
  error: unknown,
  parts: BrokerParts,
): Promise<Aside<TaskEffects>> {
  const admitted = admittedOf(record, parts);
  const holds = admitted !== undefined && (await isEntitledNow(tx, admitted, parts));
  const work = await UnitOfWork.begin(tx, { taskIds: [] });
  const parked = await park(tx, GROUP, [{ record, why: 'bug', ...failureText(error), holds }]);
  for (const each of parkedRecords(parked, { group: GROUP, atMs: work.nowMs })) work.queue(each);
  const told = await effectsOf(work, parts);
  if (!holds) return { holds, effects: told };
  const suspend = async () => {
    const { taskId } = admitted.event.data;
    const closing = await UnitOfWork.begin(tx, { taskIds: [taskId] });
    suspendParked(closing, taskId, admitted.ceId, closing.nowMs);
    return await effectsOf(closing, parts);
  };
  const suspended = await unlessItFails(tx, suspend, NOTHING, tellBroken(parts));
  return { holds, effects: together(told, suspended) };
}

const NOTHING: TaskEffects = { queued: [], intents: [], renewals: [], told: [] };

const together = (a: TaskEffects, b: TaskEffects): TaskEffects => ({
  queued: [...a.queued, ...b.queued],
  intents: [...a.intents, ...b.intents],
  renewals: [...a.renewals, ...b.renewals],
  told: [...a.told, ...b.told],
});

/** A task that cannot be read has nobody who is entitled: each of its records fails, and is parked, by itself. */
async function isEntitledNow(tx: Tx, admitted: Admitted, parts: BrokerParts): Promise<boolean> {
  const { taskId } = admitted.event.data;
  const look = async () =>
    isEntitled((await UnitOfWork.begin(tx, { taskIds: [taskId] })).task(taskId), admitted, parts);
  return await unlessItFails(tx, look, false, tellBroken(parts));
}

/**
 * What is wrong with the record may be what is wrong with its task. It must make way all the same, or the process would come
 * back to it for ever; its key is held, so nothing of the task is decided any more, and somebody has to look.
 */
const tellBroken =
  ({ log }: BrokerParts) =>
  (err: unknown) =>
    log.error({ err }, 'the task of a parked record cannot be read or suspended');

/**
 * Their turn comes when the record that holds their key is released. Whoever may not speak in the task is answered at once, as
 * ever: a stranger must not fill the place of those who may.
 */
export async function setBehind(
  tx: Tx,
  records: readonly BusRecord[],
  parts: BrokerParts,
): Promise<TaskEffects> {
  const read = records.map((record) => ({ record, said: admit(record, parts.trust) }));
  const work = await UnitOfWork.begin(tx, {
    taskIds: read.flatMap(({ said }) => (said.ok ? [said.admitted.event.data.taskId] : [])),
  });
  const mayWait = ({ said }: Read<Admission>) =>
    said.ok && isEntitled(work.task(said.admitted.event.data.taskId), said.admitted, parts);
  const letters = read.filter(mayWait).map(({ record }) => ({
    record,
    why: 'behind' as const,
    code: 'ERR_BEHIND_PARKED',
    detail: 'an earlier record of its task is parked',
    holds: true,
  }));
  const parked = await park(tx, GROUP, letters);
  for (const each of parkedRecords(parked, { group: GROUP, atMs: work.nowMs })) work.queue(each);
  const effects = await effectsOf(work, parts);
  const strangers = read.filter((each) => !mayWait(each));
  if (strangers.length === 0) return effects;
  return together(effects, await answerOf(await onTaskBatch(tx, strangers, parts)));
}

/** A record of another service that could not be handled: nobody's task depends on it alone, and the operator is told. */
export async function putAway(
  tx: Tx,
  record: BusRecord,
  error: unknown,
  parts: BrokerParts,
): Promise<Aside<CutEffects>> {
  const work = await UnitOfWork.begin(tx, { taskIds: [] });
  const parked = await park(tx, GROUP, [{ record, why: 'bug', ...failureText(error), holds: false }]);
  for (const each of parkedRecords(parked, { group: GROUP, atMs: work.nowMs })) work.queue(each);
  return { holds: false, effects: await effectsOf(work, parts) };
}

async function effectsOf(work: UnitOfWork, parts: BrokerParts): Promise<TaskEffects> {
  return {
    queued: await work.flush(parts.instanceId),
    intents: work.intents,
    renewals: work.renewals,
    told: work.told,
  };
}

/** Reading it may be what fails. */
export function admittedOf(record: BusRecord, { trust }: BrokerParts): Admitted | undefined {
  try {
    const admission = admit(record, trust);
    return admission.ok ? admission.admitted : undefined;
  } catch {
    return undefined;
  }
}

function isEntitled(
  task: Task,
  { event, sender, proofKeyThumbprint }: Admitted,
  parts: BrokerParts,
): boolean {
  return (
    mayAct(task.declaration, event.type, sender, parts.catalogue) &&
    pinRefusal(task, sender, proofKeyThumbprint) === null
  );
}
