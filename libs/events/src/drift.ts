/**
 * How far what is done in a task is from what was declared. Each occurrence of a signal adds its weight to the score of the task, to 100
 * at most; from `suspendAt` on the task is suspended until a person lets it go on, or it ends.
 */
import type { DriftSignal } from './drift-signal.js';
import { SCORE_MAX, type Drift } from './drift-state.js';
import type { EventOf } from './outbound.js';
import { serviceSource } from './services.js';
import { decideSuspension } from './suspend-task.js';
import type { Task } from './task.js';

export interface DriftRules {
  /** What one occurrence adds, 0 to 100. 0: it is told, and adds nothing. */
  weights: Readonly<Record<DriftSignal, number>>;
  /** The score at which a task is suspended, 1 to 100. */
  suspendAt: number;
  /** Refused calls of one agent are unusual once it has made so many, and this share of them or more was refused. */
  refusalRate: { minCalls: number; percent: number };
}

export const DRIFT_RULES: DriftRules = {
  weights: {
    call_outside_declaration: 25,
    dataset_creep: 25,
    action_creep: 25,
    objective_changed: 50,
    model_changed: 40,
    use_after_end: 20,
    granted_unused: 5,
    refusal_rate: 20,
  },
  suspendAt: 100,
  refusalRate: { minCalls: 10, percent: 50 },
};

/** What was seen at once, of one agent: each signal once. */
export interface Seen {
  signals: readonly DriftSignal[];
  agent: string;
  callId?: string | undefined;
  leaseId?: string | undefined;
  /** `ce_id` of the record in which it was seen. */
  causedBy?: string | undefined;
}

export const scoreOf = ({ drift }: Pick<Task, 'drift'>): number => drift?.score ?? 0;

/** Never less than before, whatever the weights are by now. */
export const scoreAfter = (score: number, signals: readonly DriftSignal[], { weights }: DriftRules): number =>
  signals.reduce((sum, signal) => Math.max(sum, Math.min(SCORE_MAX, sum + weights[signal])), score);

/**
 * What is told of it, and the suspension that it comes to. A signal that changes nothing is told when its number has doubled, so that
 * who floods a task with them fills no topic. Requires that the event in which it was seen is folded.
 */
export function decideDrift(
  task: Task,
  seen: Seen,
  { rules, nowMs }: { rules: DriftRules; nowMs: number },
): (EventOf<'drift.signalled'> | EventOf<'task.suspended'>)[] {
  if (seen.signals.length === 0) return [];
  const told: EventOf<'drift.signalled'>[] = [];
  let score = scoreOf(task);
  for (const signal of seen.signals) {
    const before = score;
    score = scoreAfter(score, [signal], rules);
    const count = countOf(task.drift, signal, seen.agent);
    if (score !== before || isPowerOfTwo(count))
      told.push(signalled(task, seen, { signal, weight: rules.weights[signal], score, count }, nowMs));
  }
  const { causedBy } = seen;
  return score < rules.suspendAt
    ? told
    : [...told, ...decideSuspension(task, { cause: 'drift', causedBy, nowMs })];
}

const countOf = (drift: Drift | undefined, signal: DriftSignal, agent: string): number =>
  drift?.signals.find((each) => each.signal === signal && each.agent === agent)?.count ?? 1;

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));

const signalled = (
  { taskId, generation, declaration }: Task,
  { agent, callId, leaseId, causedBy }: Seen,
  what: { signal: DriftSignal; weight: number; score: number; count: number },
  nowMs: number,
): EventOf<'drift.signalled'> => ({
  type: 'drift.signalled',
  data: {
    ...{ taskId, generation },
    ...(declaration === null ? {} : { tenant: declaration.tenant }),
    ...(causedBy === undefined ? {} : { causedBy }),
    ...{ actor: serviceSource('broker'), at: new Date(nowMs).toISOString(), agent, ...what },
    ...(callId === undefined ? {} : { callId }),
    ...(leaseId === undefined ? {} : { leaseId }),
  },
});
