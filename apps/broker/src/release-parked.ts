/** Carries out what operators ordered about parked records; a task is open again once none of its records holds it. */
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { uuidV7 } from '#events/inbound.js';
import { admit } from '#identity/admit.js';
import { answerOf, type Tx } from '#store/database.js';
import { releaseOrders, type Released } from '#store/release.js';
import type { BrokerParts } from './broker-parts.js';
import { hearRequest, onCredentialBatch } from './on-credential-batch.js';
import { onTaskBatch, type TaskEffects } from './on-task-batch.js';
import { GROUP } from './records.js';
import { resumeParked } from './suspend-task.js';
import { UnitOfWork } from './unit-of-work.js';

/** @param after told of each commit. */
export async function releaseParked(
  parts: BrokerParts,
  after: (effects: TaskEffects) => void,
): Promise<void> {
  await releaseOrders<TaskEffects>({
    db: parts.db,
    group: GROUP,
    handle: async (tx, record) => {
      if (record.topic !== CREDENTIAL_EVENTS)
        return answerOf(await onTaskBatch(tx, [{ record, said: admit(record, parts.trust) }], parts));
      const heard = hearRequest(record, parts);
      const { queued, told } = await onCredentialBatch(tx, heard === null ? [] : [heard], parts);
      return { queued, intents: [], renewals: [], told };
    },
    onReleased: (tx, released) => resume(tx, released, parts),
    after: ({ effects, queued }) => {
      after({ queued, intents: [], renewals: [], told: [] });
      for (const each of effects) after(each);
    },
    warn: (fields, message) => parts.log.warn(fields, message),
  });
}

async function resume(tx: Tx, { key, isFree }: Released, { instanceId }: BrokerParts): Promise<TaskEffects> {
  const taskIds = isFree && uuidV7.safeParse(key).success ? [key] : [];
  const work = await UnitOfWork.begin(tx, { taskIds });
  for (const taskId of taskIds) resumeParked(work, taskId, undefined, work.nowMs);
  const queued = await work.flush(instanceId);
  return { queued, intents: work.intents, renewals: work.renewals, told: work.told };
}
