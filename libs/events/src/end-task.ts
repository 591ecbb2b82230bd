/** The end of a task: by who started it, by an operator, by an agent that may, or by its deadline. */
import type { Catalogue } from './catalogue.js';
import { couldEnd, mayEnd, pinRefusal } from './entitlement.js';
import type { TaskEnded } from './inbound.js';
import type { EventOf } from './outbound.js';
import { serviceSource } from './services.js';
import type { Decided, EndOutcome, Sender, Task, TaskEvent } from './task.js';

const EARLY_ENDS_MAX = 32;
const BROKER = serviceSource('broker');

/** The first end heard before the start whose sender turns out to be entitled. */
export function endOfEarly(task: Task, facts: { catalogue: Catalogue; nowMs: number }): TaskEvent[] {
  const { declaration } = task;
  if (declaration === null) return [];
  const counts = task.earlyEnds.find(
    (end) =>
      mayEnd(declaration, end.id, facts.catalogue) && pinRefusal(task, end.id, end.keyThumbprint) === null,
  );
  return counts === undefined ? [] : [ended(task, counts.outcome, counts.id, counts.ceId, facts.nowMs)];
}

/** An end by its orchestrator, an operator, or an agent that may. Ending twice changes nothing. */
export function decideEnd(
  task: Task,
  end: TaskEnded,
  by: Sender,
  facts: { catalogue: Catalogue; nowMs: number },
): Decided {
  if (task.declaration === null) {
    if (!couldEnd(by.id, facts.catalogue))
      return {
        is: 'rejected',
        refusal: { code: 'ERR_NOT_ENTITLED', reason: 'the sender may end no task' },
      };
    const heard = task.earlyEnds.some((early) => early.id === by.id);
    if (heard || task.earlyEnds.length >= EARLY_ENDS_MAX) return { is: 'decided', events: [] };
    return {
      is: 'decided',
      events: [{ type: 'task.end_heard_early', data: { ...by, outcome: end.outcome } }],
    };
  }
  if (!mayEnd(task.declaration, by.id, facts.catalogue))
    return {
      is: 'rejected',
      refusal: { code: 'ERR_NOT_ENTITLED', reason: 'the sender may not end this task' },
    };
  const pin = pinRefusal(task, by.id, by.keyThumbprint);
  if (pin !== null) return { is: 'rejected', refusal: pin };
  if (task.status === 'ended') return { is: 'decided', events: [] };
  return { is: 'decided', events: [ended(task, end.outcome, by.id, by.ceId, facts.nowMs)] };
}

/** The deadline ends a task that nobody ended, suspended or not. */
export function decideDeadline(task: Task, nowMs: number): TaskEvent[] {
  const over = task.status !== 'ended' && (task.declaration?.deadlineMs ?? Infinity) <= nowMs;
  return over ? [ended(task, 'deadline', BROKER, undefined, nowMs)] : [];
}

/** The end of any ancestor ends a task, suspended or not. Its calls were refused from then on: this is told, and closes the books. */
export function decideEndWithParent(task: Task, ancestors: readonly Task[], nowMs: number): TaskEvent[] {
  const alive = task.status === 'open' || task.status === 'suspended';
  const over = alive && ancestors.some((ancestor) => ancestor.status === 'ended');
  return over ? [ended(task, 'parent_ended', BROKER, undefined, nowMs)] : [];
}

function ended(
  task: Task,
  outcome: EndOutcome,
  actor: string,
  causedBy: string | undefined,
  nowMs: number,
): EventOf<'task.ended'> {
  return {
    type: 'task.ended',
    data: {
      taskId: task.taskId,
      generation: task.generation,
      ...(task.declaration === null ? {} : { tenant: task.declaration.tenant }),
      ...(causedBy === undefined ? {} : { causedBy }),
      actor,
      at: new Date(nowMs).toISOString(),
      outcome,
    },
  };
}
