/** Carries out what operators ordered about parked records. What was cut because of them stays cut. */
import { TASK_EVENTS } from '#events/topics.js';
import { admit } from '#identity/admit.js';
import { answerOf } from '#store/database.js';
import { releaseOrders } from '#store/release.js';
import { hearRecord } from './heard-record.js';
import { onLeaseEvents } from './on-lease-event.js';
import { onTaskEvents } from './on-task-event.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import type { Flushed, Taker } from './unit-of-work.js';

/** @param after told of each commit. */
export async function releaseParked(
  parts: RevokerParts,
  taker: () => Taker,
  after: (flushed: Flushed) => void,
): Promise<void> {
  await releaseOrders<Flushed>({
    db: parts.db,
    group: GROUP,
    handle: async (tx, record) =>
      answerOf(
        await (record.topic === TASK_EVENTS
          ? onTaskEvents(tx, [{ record, said: admit(record, parts.trust) }], parts, taker())
          : onLeaseEvents(tx, [{ record, said: hearRecord(record, parts.peers) }], parts, taker())),
      ),
    after: ({ effects, queued }) => {
      for (const each of effects) after(each);
      after({ queued, work: [] });
    },
    warn: (fields, message) => parts.log.warn(fields, message),
  });
}
