/**
 * Ends tasks of which an ancestor has ended. Whether a task is live is asked of its whole chain at each call, so nothing waits for
 * this; it is found in the rows, so a process that dies in between leaves nothing undone.
 */
import { decideEndWithParent } from '#events/end-task.js';
import { transact } from '#store/database.js';
import type { BrokerParts } from './broker-parts.js';
import { tasksOutlivingAncestors } from './task-rows.js';
import { UnitOfWork } from './unit-of-work.js';

/** Of one transaction. */
const AT_ONCE = 100;

/** Resolves once none is left, but for what another broker is ending at this moment. */
export async function endChildren({ db, relay, instanceId }: BrokerParts): Promise<void> {
  for (let full = true; full;) {
    const { queued, ended } = await transact(db, async (tx) => {
      const taskIds = await tasksOutlivingAncestors(tx, AT_ONCE);
      if (taskIds.length === 0) return { queued: [], ended: 0 };
      const work = await UnitOfWork.begin(tx, { taskIds });
      for (const taskId of taskIds) {
        const task = work.task(taskId);
        for (const event of decideEndWithParent(task, work.ancestorsOf(task), work.nowMs))
          work.record(taskId, event);
      }
      return { queued: await work.flush(instanceId), ended: work.told.length };
    });
    full = ended === AT_ONCE;
    // Not awaited: a bus that is away must not keep the next tasks open.
    void relay.send(queued);
  }
}
