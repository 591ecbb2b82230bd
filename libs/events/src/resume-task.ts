/** A person lets a task go on that was suspended for drift. What was seen before counts no more, and nothing comes back to life. */
import { isPerson } from './approval.js';
import type { Catalogue } from './catalogue.js';
import type { EventOf } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { involvedIn } from './request-approval.js';
import { decideResumption } from './suspend-task.js';
import type { Task } from './task.js';

/** Requires that `by` is authenticated. */
export interface PersonsWord {
  /** Such as `user:olga@corp.example`. */
  by: string;
  reason?: string | undefined;
}

export interface ResumptionFacts {
  /** Parent first. */
  ancestors: readonly Task[];
  catalogue: Catalogue;
  nowMs: number;
}

export type ResumptionDecided =
  { is: 'resumed'; event: EventOf<'task.resumed'> } | { is: 'rejected'; refusal: Refusal };

/** Another cause that the task is suspended for keeps it so. */
export function decideResumptionAfterDrift(
  task: Task,
  { by, reason }: PersonsWord,
  { ancestors, catalogue, nowMs }: ResumptionFacts,
): ResumptionDecided {
  const isApprover = isPerson(by) && catalogue.operators.get(by)?.roles.includes('approver') === true;
  if (!isApprover) return no('ERR_NOT_ENTITLED', 'only an approver lets a task go on');
  if (task.declaration === null) return no('ERR_TASK_UNKNOWN', 'no such task was accepted');
  const drifting = (task.drift?.signals ?? []).map(({ agent }) => agent);
  if (involvedIn({ task, ancestors, catalogue }, drifting).includes(by))
    return no(
      'ERR_APPROVER_INVOLVED',
      'for whom the task runs, or who owns what drifted, does not let it go on',
    );
  if (task.status === 'ended') return no('ERR_TASK_ENDED', 'the task has ended');
  const [event] = decideResumption(task, { cause: 'drift', causedBy: undefined, nowMs });
  if (event === undefined) return no('ERR_TASK_NOT_DRIFTED', 'the task is not suspended for drift');
  const data = { ...event.data, actor: by, ...(reason === undefined ? {} : { reason }) };
  return { is: 'resumed', event: { type: 'task.resumed', data } };
}

const no = (code: RefusalCode, reason: string): ResumptionDecided => ({
  is: 'rejected',
  refusal: { code, reason },
});
