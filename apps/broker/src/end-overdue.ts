/** Ends tasks that nobody ended, at their deadline. Their leases need nothing from here: no lease outlives its task. */
import { decideDeadline } from '#events/end-task.js';
import { transact } from '#store/database.js';
import type { BrokerParts } from './broker-parts.js';
import { overdueTasks } from './task-rows.js';
import { UnitOfWork } from './unit-of-work.js';

const AT_ONCE = 100;

export async function endOverdue({ db, relay, instanceId }: BrokerParts): Promise<void> {
  const queued = await transact(db, async (tx) => {
    const taskIds = await overdueTasks(tx, AT_ONCE);
    if (taskIds.length === 0) return [];
    const work = await UnitOfWork.begin(tx, { taskIds });
    for (const taskId of taskIds) {
      for (const event of decideDeadline(work.task(taskId), work.nowMs)) work.record(taskId, event);
    }
    return await work.flush(instanceId);
  });
  // Not awaited: a bus that is away must not keep the next tasks open.
  void relay.send(queued);
}
