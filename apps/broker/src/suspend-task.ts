/**
 * A task of which a record was parked fails closed until the record is released: nobody knows what it would have said, an
 * end for instance. Either function is quiet when it has nothing to do. The leases are cut by the revoker, which hears of it.
 * One that was suspended for drift (`note-drift.ts`), or by an operator, goes on by a person's word (`task-desk.ts`).
 */
import { decideResumption, decideSuspension } from '#events/suspend-task.js';
import type { UnitOfWork } from './unit-of-work.js';

/**
 * Requires that the task is among the `taskIds` of this work, for what is not locked looks unknown; and that the sender of the
 * parked record is authenticated and entitled, or anybody could suspend anything.
 * @param causedBy `ce_id` of the parked record.
 */
export function suspendParked(
  work: UnitOfWork,
  taskId: string,
  causedBy: string | undefined,
  nowMs: number,
): void {
  for (const event of decideSuspension(work.task(taskId), { cause: 'parked', causedBy, nowMs }))
    work.record(taskId, event);
}

/**
 * Requires that the task is among the `taskIds` of this work, and that no record of it is parked any more.
 * @param causedBy `ce_id` of the record that was released last.
 */
export function resumeParked(
  work: UnitOfWork,
  taskId: string,
  causedBy: string | undefined,
  nowMs: number,
): void {
  for (const event of decideResumption(work.task(taskId), { cause: 'parked', causedBy, nowMs }))
    work.record(taskId, event);
}
