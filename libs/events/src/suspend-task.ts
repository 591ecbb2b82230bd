/**
 * A suspension: the task gets no credential, and none of those it has lives on, until what caused it is gone. The generation
 * grows, so that no lease from before comes back with the resumption. Doing either twice for one cause is quiet.
 */
import type { CutCause, SuspensionCause } from './causes.js';
import type { EventOf } from './outbound.js';
import { serviceSource } from './services.js';
import type { Task } from './task.js';

export interface SuspensionFacts {
  cause: SuspensionCause;
  /** `ce_id` of the record that led to it, where there is one. */
  causedBy: string | undefined;
  /** The person who says so, and why; absent: it is the broker's own doing. */
  word?: { by: string; reason: string };
  nowMs: number;
}

/** A task that is not known, or over, has nothing to be suspended. */
export function decideSuspension(task: Task, facts: SuspensionFacts): EventOf<'task.suspended'>[] {
  const alive = task.status === 'open' || task.status === 'suspended';
  if (!alive || task.suspendedFor.includes(facts.cause)) return [];
  return [{ type: 'task.suspended', data: dataOf(task, task.generation + 1, facts) }];
}

export function decideResumption(task: Task, facts: SuspensionFacts): EventOf<'task.resumed'>[] {
  if (task.status !== 'suspended' || !task.suspendedFor.includes(facts.cause)) return [];
  return [{ type: 'task.resumed', data: dataOf(task, task.generation, facts) }];
}

const dataOf = (task: Task, generation: number, { cause, causedBy, word, nowMs }: SuspensionFacts) => ({
  taskId: task.taskId,
  generation,
  ...(task.declaration === null ? {} : { tenant: task.declaration.tenant }),
  ...(causedBy === undefined ? {} : { causedBy }),
  actor: word?.by ?? serviceSource('broker'),
  at: new Date(nowMs).toISOString(),
  cause,
  ...(word === undefined ? {} : { reason: word.reason }),
});

/** Why the leases of lower generations are cut: a closed list that verifiers know, so drift is told as a suspension. */
export const cutCauseOf = (cause: SuspensionCause): CutCause =>
  cause === 'parked' || cause === 'operator' ? cause : 'suspended';
