/** What was seen of drift, in the transaction in which it was seen: it is told, and suspends the task where it is too much. */
import { decideDrift, type DriftRules, type Seen } from '#events/drift.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Requires that the event in which it was seen is recorded. */
export function noteDrift(work: UnitOfWork, taskId: string, seen: Seen, rules: DriftRules): void {
  for (const event of decideDrift(work.task(taskId), seen, { rules, nowMs: work.nowMs }))
    work.record(taskId, event);
}
