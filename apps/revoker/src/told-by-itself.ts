/** Whether verifiers are told of a lease by itself: a record for a task, or for a generation of it, speaks of all its leases. Pure. */
import type { LeasePlan } from '#events/lease-plan.js';
import type { CutCause } from '#events/causes.js';

/** With its task, or with a generation of it; or by itself. */
const TOLD: Record<CutCause, 'with_task' | 'by_itself'> = {
  task_ended: 'with_task',
  deadline: 'with_task',
  parent_ended: 'with_task',
  suspended: 'with_task',
  amended: 'with_task',
  rekeyed: 'with_task',
  parked: 'with_task',
  expired: 'by_itself',
  abandoned: 'by_itself',
  approval_withdrawn: 'by_itself',
  agent_revoked: 'by_itself',
  operator: 'by_itself',
  returned: 'by_itself',
  vanished: 'by_itself',
  orphan: 'by_itself',
};

/** Only tokens are judged by what verifiers are told. An abandoned lease may be one whose kind is not known yet. */
export const isToldByItself = (cause: CutCause, plan: LeasePlan | null): boolean =>
  cause === 'abandoned' || (plan?.provider === 'jwt' && TOLD[cause] === 'by_itself');
