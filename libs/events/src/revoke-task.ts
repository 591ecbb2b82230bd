/** What the broker makes of an operator's order at the revoker about a task: a new generation, and nothing else. Pure. */
import type { EventOf } from './outbound.js';
import type { Task } from './task.js';

/** @param ceId of the order's record. A task that is not known, or over, lends nothing. */
export function decideTaskRevocation(
  task: Task,
  { data }: EventOf<'revocation.ordered'>,
  { ceId, nowMs }: { ceId: string; nowMs: number },
): EventOf<'task.revoked'>[] {
  if (task.status !== 'open' && task.status !== 'suspended') return [];
  const { orderId, by, reason, generationBelow = 1 } = data;
  return [
    {
      type: 'task.revoked',
      data: {
        taskId: task.taskId,
        // Always a new one: the revoker may not have heard yet of all that was lent.
        generation: Math.max(task.generation + 1, generationBelow),
        ...(task.declaration === null ? {} : { tenant: task.declaration.tenant }),
        ...{ causedBy: ceId, actor: by, at: new Date(nowMs).toISOString() },
        ...{ orderId, reason },
      },
    },
  ];
}
