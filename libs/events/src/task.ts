/**
 * A task: declared, open, suspended and open again, ended. `declare-task.ts`, `suspend-task.ts` and `end-task.ts` decide what
 * happens, `evolve` says what is true after it.
 * The broker alone numbers generations; the first is 1.
 */
import { countsAfter, type CallCounts } from './call-counts.js';
import type { SuspensionCause } from './causes.js';
import { amendedBy, declarationOf, type Declaration } from './declaration.js';
import type { DriftSignal } from './drift-signal.js';
import {
  afterCall,
  afterReport,
  forgiven,
  withScore,
  withSeen,
  type Conduct,
  type Drift,
} from './drift-state.js';
import { withoutKey } from './entitlement.js';
import type { ToolCompleted } from './inbound.js';
import type { EventOf, Lineage } from './outbound.js';
import type { Refusal } from './refusal.js';
import { unreachable } from './unreachable.js';

export type EndOutcome = EventOf<'task.ended'>['data']['outcome'];

/** Who sent the event at hand. */
export interface Sender {
  id: string;
  /** RFC 7638 thumbprint of the proof key. */
  keyThumbprint: string;
  ceId: string;
  /** The principal that this event declares has signed in: a token of their own came with it. */
  principalProved?: boolean;
  /** What is sealed for this request can be opened by nobody later: its call cannot wait for people. */
  cannotWait?: boolean;
}

/** An end heard before its start: it counts once the start is known and makes its sender entitled. */
export interface EarlyEnd extends Sender {
  outcome: EndOutcome;
}

export interface Task {
  taskId: string;
  version: number;
  status: 'unknown' | 'open' | 'suspended' | 'ended';
  /** 0 while unknown. */
  generation: number;
  declaration: Declaration | null;
  /** It is open again once none of these is left. */
  suspendedFor: SuspensionCause[];
  outcome: EndOutcome | null;
  earlyEnds: EarlyEnd[];
  /** Proof key of each sender, by thumbprint. */
  pins: Record<string, string>;
  /** Of senders that were re-keyed: the keys that they had. Absent where nobody was. */
  formerKeys?: Record<string, string[]>;
  /** `refused`: calls that were not permitted at once, those that wait for people among them. */
  usage: { calls: number; refused: number; rows: number; recentCallsMs: number[] } & CallCounts;
  /** Absent where none was seen. */
  drift?: Drift;
  /** By agent. Absent before the first call. */
  conduct?: Record<string, Conduct>;
}

/** Of the task's own stream only: nobody else hears of it. */
export interface EndHeardEarly {
  type: 'task.end_heard_early';
  data: EarlyEnd;
}
/** What a tool or its agent saw happen. */
export interface UsageReported {
  type: 'task.usage_reported';
  data: Sender & {
    rows: number;
    /** Whose use it was, as far as that is known. */
    agent?: string;
    callId?: string;
    leaseId?: string;
    outcome?: ToolCompleted['outcome'];
    at?: string;
    signals?: DriftSignal[];
  };
}
/** A lease had all its time and was not used, as far as anybody said. */
export interface GrantUnused {
  type: 'task.grant_unused';
  data: { leaseId: string; agent: string; at: string };
}
export type TaskEvent =
  | EventOf<'task.accepted'>
  | EventOf<'task.amended'>
  | EventOf<'task.suspended'>
  | EventOf<'task.resumed'>
  | EventOf<'task.revoked'>
  | EventOf<'task.ended'>
  | EventOf<'call.decided'>
  | EventOf<'drift.signalled'>
  | EndHeardEarly
  | UsageReported
  | GrantUnused;

/** Beyond it a rate is not known: no task may declare a higher one (`inbound.ts`). */
const RECENT_CALLS_MAX = 1_000;

export const unknownTask = (taskId: string): Task => ({
  taskId,
  version: 0,
  status: 'unknown',
  generation: 0,
  declaration: null,
  suspendedFor: [],
  outcome: null,
  earlyEnds: [],
  pins: {},
  usage: { calls: 0, refused: 0, rows: 0, recentCallsMs: [] },
});

export function evolve(task: Task, event: TaskEvent): Task {
  const next = { ...task, version: task.version + 1 };
  switch (event.type) {
    case 'task.accepted':
      return {
        ...next,
        status: 'open',
        generation: event.data.generation,
        declaration: declarationOf(event.data),
        pins: { ...task.pins, [event.data.orchestrator]: event.data.proofKey },
      };
    case 'task.amended': {
      const { generation, rekeyed } = event.data;
      const keys = rekeyed === undefined ? {} : withoutKey(task, rekeyed);
      return { ...next, ...keys, generation, declaration: amendedBy(task.declaration, event.data) };
    }
    case 'task.suspended':
      return {
        ...next,
        status: 'suspended',
        generation: event.data.generation,
        suspendedFor: [...task.suspendedFor, event.data.cause],
      };
    case 'task.resumed': {
      const suspendedFor = task.suspendedFor.filter((cause) => cause !== event.data.cause);
      const status = suspendedFor.length === 0 ? 'open' : 'suspended';
      return {
        ...next,
        ...(event.data.cause === 'drift' ? forgiven(task.conduct) : {}),
        status,
        suspendedFor,
      };
    }
    case 'task.revoked':
      return { ...next, generation: event.data.generation };
    case 'task.ended':
      return { ...next, status: 'ended', outcome: event.data.outcome };
    case 'task.end_heard_early':
      return { ...next, earlyEnds: [...task.earlyEnds, event.data] };
    case 'task.usage_reported':
      return {
        ...next,
        pins: { ...task.pins, [event.data.id]: event.data.keyThumbprint },
        usage: { ...task.usage, rows: task.usage.rows + event.data.rows },
        ...afterUse(task, event),
      };
    case 'task.grant_unused':
      return {
        ...next,
        drift: withSeen(task.drift, ['granted_unused'], event.data.agent, event.data.at),
      };
    case 'drift.signalled':
      return { ...next, drift: withScore(task.drift, event.data.score) };
    case 'call.decided': {
      const atMs = Date.parse(event.data.at);
      const { calls, refused, rows, recentCallsMs } = task.usage;
      return {
        ...next,
        pins: { ...task.pins, [event.data.agent]: event.data.proofKey },
        usage: {
          ...countsAfter(task.usage, event.data, task.declaration?.declared ?? []),
          calls: calls + 1,
          refused: refused + (event.data.decision === 'permit' ? 0 : 1),
          rows,
          recentCallsMs: [...recentCallsMs.filter((ms) => ms > atMs - 60_000), atMs].slice(-RECENT_CALLS_MAX),
        },
        ...drifting(task, event.data.signals, event.data.agent, event.data.at),
        conduct: {
          ...task.conduct,
          [event.data.agent]: afterCall(task.conduct?.[event.data.agent], event.data),
        },
      };
    }
    default:
      return unreachable(event);
  }
}

function afterUse(task: Task, { data }: UsageReported): Pick<Task, 'drift' | 'conduct'> {
  const { agent, at = '', signals } = data;
  if (agent === undefined) return {};
  return {
    ...drifting(task, signals, agent, at),
    conduct: { ...task.conduct, [agent]: afterReport(task.conduct?.[agent]) },
  };
}

const drifting = (
  { drift }: Task,
  signals: readonly DriftSignal[] = [],
  agent: string,
  at: string,
): Pick<Task, 'drift'> => (signals.length === 0 ? {} : { drift: withSeen(drift, signals, agent, at) });

/** Why a task is not live at this moment; null if it is. Says nothing of its ancestors. */
export function livenessRefusal(task: Task, nowMs: number): Refusal | null {
  if (task.status === 'unknown') return { code: 'ERR_TASK_UNKNOWN', reason: 'no such task was accepted' };
  if (task.status === 'ended') return { code: 'ERR_TASK_ENDED', reason: 'the task has ended' };
  if (task.declaration !== null && task.declaration.deadlineMs <= nowMs)
    return { code: 'ERR_TASK_ENDED', reason: 'the deadline of the task has passed' };
  if (task.status === 'suspended') return { code: 'ERR_TASK_SUSPENDED', reason: 'the task is suspended' };
  return null;
}

/** Why one of these ancestors is not live. An end is told before a suspension: it is for good. */
export function ancestryRefusal(ancestors: readonly Task[], nowMs: number): Refusal | null {
  const refusals = ancestors.flatMap((each) => livenessRefusal(each, nowMs) ?? []);
  if (refusals.some(({ code }) => code !== 'ERR_TASK_SUSPENDED'))
    return { code: 'ERR_PARENT_ENDED', reason: 'an ancestor of the task has ended' };
  return refusals.length === 0
    ? null
    : { code: 'ERR_TASK_SUSPENDED', reason: 'an ancestor of the task is suspended' };
}

/** Rule 6: a task is live if it and all its ancestors are. */
export function chainRefusal(task: Task, ancestors: readonly Task[], nowMs: number): Refusal | null {
  const own = livenessRefusal(task, nowMs);
  if (own !== null) return own;
  const expected = task.declaration?.ancestors.length ?? 0;
  return ancestors.length === expected
    ? ancestryRefusal(ancestors, nowMs)
    : { code: 'ERR_PARENT_ENDED', reason: 'an ancestor of the task is not known' };
}

/** Own generation first, then those of the ancestors. */
export const lineageOf = (
  task: Pick<Task, 'taskId' | 'generation'>,
  ancestors: readonly Pick<Task, 'taskId' | 'generation'>[],
): Lineage => [task, ...ancestors].map(({ taskId, generation }) => ({ taskId, generation }));

/**
 * `rejected`: the sender may not say this; nothing else happens, and nobody's id is burnt.
 * `refused`: the sender may, but this task cannot be, or not be amended so; it stays unknown, or as it was, and a corrected word may
 * follow.
 */
export type Decided =
  | { is: 'decided'; events: TaskEvent[]; inputs?: { digest: string; inputs: object } }
  | {
      is: 'refused';
      event: EventOf<'task.refused'> | EventOf<'task.amendment_refused'>;
      inputs?: { digest: string; inputs: object };
    }
  | { is: 'rejected'; refusal: Refusal };
