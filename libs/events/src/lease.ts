/**
 * A lease, as the broker sees it: intended, then issued or abandoned. Only the revoker cuts (protocol rules 1, 3 and 4).
 */
import { GOOD_STANDING, isInStanding, type AgentStanding } from './agent-standing.js';
import type { EventOf, Lineage } from './outbound.js';
import { livenessRefusal, type Task } from './task.js';
import { unreachable } from './unreachable.js';

export interface Lease {
  leaseId: string;
  taskId: string;
  callId: string;
  agent: string;
  /** Absent: its agent had never been revoked. */
  agentGeneration?: number;
  state: 'intended' | 'issued' | 'abandoned';
  lineage: Lineage;
  createByMs: number;
  /** Its end, as planned or last renewed. */
  notAfterMs: number;
  /** The latest that it may ever be renewed to. */
  hardEndMs: number;
  /** How often it was renewed. */
  renewals: number;
  /** A revocation of this lease was heard from the revoker. */
  cutHeard: boolean;
}

export type LeaseEvent =
  | EventOf<'lease.intended'>
  | EventOf<'lease.issued'>
  | EventOf<'lease.abandoned'>
  | EventOf<'lease.renewed'>
  | EventOf<'lease.renewal_refused'>;

export function leaseOf({ data }: EventOf<'lease.intended'>): Lease {
  return {
    leaseId: data.leaseId,
    taskId: data.taskId,
    callId: data.callId,
    agent: data.agent,
    ...(data.agentGeneration === undefined ? {} : { agentGeneration: data.agentGeneration }),
    state: 'intended',
    lineage: data.lineage,
    createByMs: Date.parse(data.createBy),
    notAfterMs: Date.parse(data.notAfter),
    hardEndMs: Date.parse(data.hardEnd),
    renewals: 0,
    cutHeard: false,
  };
}

export function evolveLease(lease: Lease, event: LeaseEvent | EventOf<'lease.revocation_requested'>): Lease {
  switch (event.type) {
    case 'lease.intended':
    case 'lease.renewal_refused':
      return lease;
    case 'lease.renewed':
      return { ...lease, notAfterMs: Date.parse(event.data.notAfter), renewals: event.data.renewals };
    case 'lease.issued':
      return { ...lease, state: 'issued' };
    case 'lease.abandoned':
      return { ...lease, state: 'abandoned' };
    case 'lease.revocation_requested':
      return { ...lease, cutHeard: true };
    default:
      return unreachable(event);
  }
}

/**
 * `none`: nobody knows whether the create landed, or will. `unsent`: the only one who could send it did not. `busy`, `late`: nothing was made,
 * because the target had its hands full, or the time for it was over.
 */
export type Answered = 'created' | 'refused' | 'busy' | 'late' | 'unsent' | 'none';

export type WhyAbandoned =
  | 'already_decided'
  | 'no_answer'
  | 'not_sent'
  | 'target_refused'
  | 'target_busy'
  | 'cut_heard'
  | 'agent_revoked'
  | 'task_not_live'
  | 'task_suspended'
  | 'generation_changed'
  | 'too_late';

export type Outcome =
  | { issued: true }
  /** `answered`: nothing of this create can still be on its way. */
  | { issued: false; answered: boolean; why: WhyAbandoned };

const NOT_CREATED: Record<Exclude<Answered, 'created'>, WhyAbandoned> = {
  none: 'no_answer',
  unsent: 'not_sent',
  refused: 'target_refused',
  busy: 'target_busy',
  late: 'too_late',
};

export interface OutcomeFacts {
  lease: Lease;
  answer: Answered;
  /** The task and its ancestors as they are now, under their locks. */
  chain: readonly Task[];
  /** Of the lease's agent; absent: nobody ever revoked it. */
  standing?: AgentStanding;
  /** The database's clock. */
  nowMs: number;
}

/**
 * Rule 3: under row locks, issued only if the lease is still intended, task and every ancestor are open with the
 * generation of the intent, no revocation was heard, of the lease or of its agent, and the database's clock is before createBy.
 */
export function decideOutcome({
  lease,
  answer,
  chain,
  standing = GOOD_STANDING,
  nowMs,
}: OutcomeFacts): Outcome {
  const abandoned = (why: WhyAbandoned): Outcome => ({
    issued: false,
    answered: answer !== 'none',
    why,
  });
  if (lease.state !== 'intended') return abandoned('already_decided');
  if (answer !== 'created') return abandoned(NOT_CREATED[answer]);
  if (lease.cutHeard) return abandoned('cut_heard');
  if (!isInStanding(lease.agentGeneration, standing)) return abandoned('agent_revoked');
  const now = new Map(chain.map((task) => [task.taskId, task]));
  for (const { taskId, generation } of lease.lineage) {
    const task = now.get(taskId);
    const refusal = task === undefined ? null : livenessRefusal(task, nowMs);
    if (refusal?.code === 'ERR_TASK_SUSPENDED') return abandoned('task_suspended');
    if (task === undefined || refusal !== null) return abandoned('task_not_live');
    if (task.generation !== generation) return abandoned('generation_changed');
  }
  return nowMs < lease.createByMs ? { issued: true } : abandoned('too_late');
}
