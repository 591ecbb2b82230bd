/** Where people's words on tasks are heard: decided under the locks of the task and all its ancestors. The revoker hears, and cuts. */
import type { EventOf } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import { factsOf, type Task } from '#events/task.js';
import { decideOrder, type TaskOrder } from '#events/task-order.js';
import { transact } from '#store/database.js';
import type { BrokerParts } from './broker-parts.js';
import { readDriftView, type DriftView } from './drift-view.js';
import type { TaskEffects } from './on-task-batch.js';
import { readTasks } from './task-rows.js';
import { UnitOfWork } from './unit-of-work.js';

export interface TaskDeskParts {
  parts: BrokerParts;
  /** After each commit. */
  after: (effects: TaskEffects) => void;
}

/** `changed`: it was not so before. */
export type OrderAnswer =
  { is: 'taken'; task: Task; changed: boolean } | { is: 'rejected'; refusal: Refusal };

export class TaskDesk {
  constructor(private readonly given: TaskDeskParts) {}

  /** @param mayRead asked of the task, or of null where no such task was accepted. @returns `hidden` where the answer is no. */
  drift(taskId: string, mayRead: (task: Task | null) => boolean): Promise<DriftView | 'unknown' | 'hidden'> {
    return transact(this.given.parts.db, async (tx) => {
      const found = (await readTasks(tx, [taskId])).get(taskId);
      const task = found?.declaration ? found : null;
      if (!mayRead(task)) return 'hidden';
      return task === null ? 'unknown' : await readDriftView(tx, task);
    });
  }

  /** Resolves after the commit. Requires that whoever speaks is authenticated. */
  async order(taskId: string, order: TaskOrder): Promise<OrderAnswer> {
    const { parts, after } = this.given;
    const { effects, said } = await transact(parts.db, async (tx) => {
      const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
      const said = hear(work, taskId, order, parts);
      const queued = await work.flush(parts.instanceId);
      const { intents, renewals, told } = work;
      return { effects: { queued, intents, renewals, told }, said };
    });
    after(effects);
    return said;
  }
}

function hear(work: UnitOfWork, taskId: string, order: TaskOrder, parts: BrokerParts): OrderAnswer {
  const { catalogue, judge } = parts;
  const task = work.task(taskId);
  const { declaration } = task;
  const decided = decideOrder(task, order, {
    catalogue,
    ancestors: work.ancestorsOf(task),
    mayApprove: (person) =>
      declaration !== null &&
      (judge.mayApprove?.({ person, task: factsOf(taskId, declaration), atMs: work.nowMs }) ?? true),
    nowMs: work.nowMs,
  });
  if (decided.is === 'rejected') {
    if (declaration !== null) work.publish(rejection(task, order, decided.refusal, work.nowMs));
    return decided;
  }
  for (const event of decided.events) work.record(taskId, event);
  return { is: 'taken', task: work.task(taskId), changed: decided.events.length > 0 };
}

/** Somebody who was authenticated may not say this of the task: that is to be seen later. */
function rejection(
  { taskId, generation, declaration }: Task,
  { is, by }: TaskOrder,
  { code, reason }: Refusal,
  nowMs: number,
): EventOf<'task.order_rejected'> {
  return {
    type: 'task.order_rejected',
    data: {
      ...{ taskId, generation, ...(declaration === null ? {} : { tenant: declaration.tenant }) },
      ...{ actor: by, at: new Date(nowMs).toISOString(), by, order: is, code, reason },
    },
  };
}
