/**
 * What people say of a task that is under way: that it stops, and that it goes on. An operator stops any task, and lets it go on; a task
 * that was suspended for its drift goes on by the word of an approver who has no part in it. Pure.
 */
import { isPerson } from './approval.js';
import type { Catalogue, Role } from './catalogue.js';
import type { EventOf } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { involvedIn } from './request-approval.js';
import { decideResumptionAfterDrift } from './resume-task.js';
import { decideResumption, decideSuspension } from './suspend-task.js';
import { livenessRefusal, type Task } from './task.js';
import { unreachable } from './unreachable.js';

export interface TaskOrder {
  is: 'suspend' | 'resume';
  /** Who says so: authenticated. */
  by: string;
  reason: string;
}

export interface OrderFacts {
  catalogue: Catalogue;
  /** Parent first. */
  ancestors: readonly Task[];
  /** What policy says of this person as an approver. */
  mayApprove: (person: string) => boolean;
  nowMs: number;
}

type Suspended = EventOf<'task.suspended'>;
type Resumed = EventOf<'task.resumed'>;
type Rejected = { is: 'rejected'; refusal: Refusal };
/** `taken` without events: it is so already. */
export type Ordered = { is: 'taken'; events: (Suspended | Resumed)[] } | Rejected;

export function decideOrder(task: Task, order: TaskOrder, facts: OrderFacts): Ordered {
  const refusal = roleRefusal(order, facts) ?? lifeRefusal(task, facts);
  if (refusal !== null) return { is: 'rejected', refusal };
  switch (order.is) {
    case 'suspend':
      return { is: 'taken', events: decideSuspension(task, ofOperator(order, facts)) };
    case 'resume':
      return resume(task, order, facts);
    default:
      return unreachable(order.is);
  }
}

/** Suspensions that people lift, each as its kind asks. The others end with what caused them. */
const LIFTS = {
  operator: liftOperators,
  drift: liftDrift,
} as const;

/** Whoever may lift one of two lifts that one. */
function resume(task: Task, order: TaskOrder, facts: OrderFacts): Ordered {
  const causes = (['operator', 'drift'] as const).filter((cause) => task.suspendedFor.includes(cause));
  if (causes.length === 0 && task.status === 'suspended')
    return no('ERR_TASK_NOT_DRIFTED', 'the task is suspended neither for drift nor by an operator');
  const lifts = causes.map((cause) => LIFTS[cause](task, order, facts));
  const events = lifts.flatMap((lift) => (lift.is === 'taken' ? lift.events : []));
  const refused = lifts.find((lift): lift is Rejected => lift.is === 'rejected');
  return events.length === 0 && refused !== undefined ? refused : { is: 'taken', events };
}

function liftOperators(task: Task, order: TaskOrder, facts: OrderFacts): Ordered {
  if (!hasRole(order.by, 'operator', facts))
    return no('ERR_NOT_ENTITLED', 'what an operator suspended is resumed by an operator');
  return { is: 'taken', events: decideResumption(task, ofOperator(order, facts)) };
}

function liftDrift(task: Task, order: TaskOrder, facts: OrderFacts): Ordered {
  const decided = decideResumptionAfterDrift(task, order, facts);
  if (decided.is === 'rejected') return decided;
  const agents = task.declaration?.agents ?? [];
  if (involvedIn({ ...facts, task }, agents).includes(order.by))
    return no('ERR_APPROVER_INVOLVED', 'whoever has a part in the task does not let it go on');
  return facts.mayApprove(order.by)
    ? { is: 'taken', events: [decided.event] }
    : no('ERR_NOT_ENTITLED', 'policy does not let this person approve');
}

const ofOperator = ({ by, reason }: TaskOrder, { nowMs }: OrderFacts) => ({
  ...{ cause: 'operator' as const, causedBy: undefined, nowMs },
  word: { by, reason },
});

/** Whether this person may say such a thing of any task. */
function roleRefusal({ is, by }: TaskOrder, facts: OrderFacts): Refusal | null {
  if (hasRole(by, 'operator', facts)) return null;
  if (is === 'suspend')
    return { code: 'ERR_NOT_ENTITLED', reason: 'tasks are suspended by people who are operators' };
  return hasRole(by, 'approver', facts)
    ? null
    : { code: 'ERR_NOT_ENTITLED', reason: 'tasks are resumed by people who are operators or approvers' };
}

/** A service that holds the key of an operator is no person. */
const hasRole = (id: string, role: Role, { catalogue }: OrderFacts): boolean =>
  isPerson(id) && catalogue.operators.get(id)?.roles.includes(role) === true;

/** A task that is over stays over. */
const lifeRefusal = (task: Task, { nowMs }: OrderFacts): Refusal | null =>
  livenessRefusal(task.status === 'suspended' ? { ...task, status: 'open' } : task, nowMs);

const no = (code: RefusalCode, reason: string): Rejected => ({ is: 'rejected', refusal: { code, reason } });
