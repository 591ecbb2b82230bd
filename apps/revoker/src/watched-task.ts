/**
 * A task as the revoker watches it: who may end it, and whether it has ended. Pure. The revoker reads the same starts and
 * ends as the broker, so that it works when the broker does not; policy it leaves to the broker, whose word settles which
 * start was accepted. Until then the first entitled start counts, as it would for the broker.
 */
import type { Catalogue } from '#events/catalogue.js';
import {
  boundsOf,
  couldEnd,
  mayEnd,
  pinRefusal,
  withoutKey,
  type ParentTask,
  type TaskParties,
} from '#events/entitlement.js';
import type { CutCause } from '#events/causes.js';
import type { TaskStarted } from '#events/inbound.js';
import type { EventOf } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import type { Tombstone } from '#events/revocation.js';
import { serviceSource } from '#events/services.js';
import { cutCauseOf } from '#events/suspend-task.js';
import type { EarlyEnd, EndOutcome, Sender } from '#events/task.js';

/** An entitled declaration, as far as it matters for its end. */
export interface Start extends TaskParties {
  ceId: string;
  /** RFC 7638 thumbprint of the orchestrator's proof key. */
  keyThumbprint: string;
  /** Orchestrator of the catalogue whose entry bounds the task. */
  bounds: string;
  tenant: string;
  /** The latest that it ever had: what was lent before an amendment may have been meant to last until then. */
  deadlineMs: number;
}

export interface WatchedTask {
  taskId: string;
  /** Number of events in the task's stream. */
  version: number;
  /** Entitled starts in the order read, while none is accepted. */
  starts: Start[];
  accepted: Start | null;
  /** Proof keys of agents that may end the task. */
  pins: Record<string, string>;
  /** Of agents that were re-keyed: the keys that they had. */
  formerKeys?: Record<string, string[]>;
  /** Ends of senders that no known start entitles. */
  earlyEnds: EarlyEnd[];
  ended: Sender | null;
}

/** What an event changed. */
export interface Change {
  task: WatchedTask;
  /** The task has ended by it. */
  end?: { outcome: EndOutcome; causedBy: string };
  /** Leases of the task below a generation are dead by it: a suspension, an amendment, a re-keying. */
  suspension?: Tombstone & { generationBelow: number };
  /** The end believed before was said by somebody who turns out not to be entitled. */
  withdrawn?: true;
  refusal?: Refusal;
}

const STARTS_MAX = 8;
const EARLY_ENDS_MAX = 32;
const NOBODY: TaskParties = { orchestrator: '', agents: [], agentsMayEnd: false };
const BROKER = serviceSource('broker');

export const unwatchedTask = (taskId: string): WatchedTask => ({
  taskId,
  version: 0,
  starts: [],
  accepted: null,
  pins: {},
  earlyEnds: [],
  ended: null,
});

/** The start that counts now. */
export const startOf = (task: WatchedTask): Start | null => task.accepted ?? task.starts[0] ?? null;

/** What the start of a child is measured against; what may be delegated is the broker's business. */
export const asParent = (task: WatchedTask | undefined): ParentTask | null =>
  task === undefined ? null : startOf(task);

/** A start that nobody in the catalogue stands behind is refused and burns no id. */
export function hearStart(
  task: WatchedTask,
  start: TaskStarted,
  by: Sender,
  facts: { catalogue: Catalogue; parent: ParentTask | null },
): Change {
  if (task.accepted !== null) return { task };
  const bounds = boundsOf(start, by.id, facts.catalogue, facts.parent);
  // The parent's start may lie in a partition read later; the broker's `task.accepted` will tell.
  if (!bounds.ok && bounds.refusal.code === 'ERR_PARENT_UNKNOWN') return { task };
  if (!bounds.ok) return { task, refusal: bounds.refusal };
  if (task.starts.length >= STARTS_MAX)
    return { task, refusal: { code: 'ERR_TASK_EXISTS', reason: 'too many starts of one task' } };
  const candidate: Start = {
    ceId: by.ceId,
    orchestrator: by.id,
    keyThumbprint: by.keyThumbprint,
    agents: start.agents.map((agent) => agent.id),
    agentsMayEnd: start.agentsMayEnd ?? false,
    bounds: bounds.entry.id,
    tenant: bounds.entry.tenant,
    deadlineMs: Date.parse(start.deadline),
  };
  return settled({ ...task, starts: [...task.starts, candidate] }, facts.catalogue);
}

/** An end by its orchestrator, an operator, or an agent that may; of anybody else it may count later, or never. */
export function hearEnd(task: WatchedTask, outcome: EndOutcome, by: Sender, catalogue: Catalogue): Change {
  const refusal = endRefusal(task, by, catalogue);
  if (refusal === null) return task.ended === null ? end(task, outcome, by) : { task };
  if (task.accepted !== null) return { task, refusal };
  if (!couldEnd(by.id, catalogue)) return { task, refusal };
  const heard = task.earlyEnds.some(
    (early) => early.id === by.id && early.keyThumbprint === by.keyThumbprint,
  );
  if (heard) return { task };
  if (task.earlyEnds.length >= EARLY_ENDS_MAX) return { task, refusal };
  return { task: { ...task, earlyEnds: [...task.earlyEnds, { ...by, outcome }] } };
}

/** An agent's key is pinned at its first call or report: whoever ends the task later must have the same. */
export function hearCall(task: WatchedTask, by: Sender): Change {
  const start = startOf(task);
  if (start === null || !start.agentsMayEnd || !start.agents.includes(by.id)) return { task };
  if (by.id in task.pins || pinRefusal(task, by.id, by.keyThumbprint) !== null) return { task };
  return { task: { ...task, pins: { ...task.pins, [by.id]: by.keyThumbprint } } };
}

/** The broker's word: from now on only this start counts. */
export function hearAccepted(
  task: WatchedTask,
  { data }: EventOf<'task.accepted'>,
  ceId: string,
  catalogue: Catalogue,
): Change {
  if (task.accepted !== null) return { task };
  const accepted: Start = {
    ceId: data.causedBy ?? ceId,
    orchestrator: data.orchestrator,
    keyThumbprint: data.proofKey,
    agents: data.agents,
    agentsMayEnd: data.agentsMayEnd,
    bounds: data.bounds,
    tenant: data.tenant ?? '',
    deadlineMs: Date.parse(data.deadline),
  };
  const next = { ...task, starts: [], accepted };
  const { ended } = task;
  if (ended === null || ended.id === BROKER || endRefusal(next, ended, catalogue) === null)
    return settled(next, catalogue);
  return { ...settled({ ...next, ended: null }, catalogue), withdrawn: true };
}

/** The start that the broker refused counts no more. */
export function hearRefused(task: WatchedTask, startCeId: string | undefined, catalogue: Catalogue): Change {
  const starts = task.starts.filter((start) => start.ceId !== startCeId);
  return starts.length === task.starts.length ? { task } : settled({ ...task, starts }, catalogue);
}

/** The broker ended the task: at its deadline, or by an end read here later. */
export function hearEndedByBroker(task: WatchedTask, outcome: EndOutcome, ceId: string): Change {
  return task.ended === null ? end(task, outcome, { id: BROKER, keyThumbprint: '', ceId }) : { task };
}

/**
 * The broker suspended the task: what was made before is dead, what is made after the resumption has a higher generation.
 * @param remembered tombstones: one that says as much makes this no news, but for an end, which may be withdrawn.
 */
export function hearSuspended(
  task: WatchedTask,
  { data }: EventOf<'task.suspended'>,
  ceId: string,
  remembered: readonly Tombstone[],
): Change {
  return raise(task, data.generation, { cause: cutCauseOf(data.cause), causedBy: ceId }, remembered);
}

/** An operator's order about the task, as the broker obeyed it: it may have lent more than was known here when the order came. */
export function hearRevoked(
  task: WatchedTask,
  { data }: EventOf<'task.revoked'>,
  ceId: string,
  remembered: readonly Tombstone[],
): Change {
  const why = { cause: 'operator' as const, causedBy: data.causedBy ?? ceId };
  return raise(task, data.generation, why, remembered);
}

/**
 * The broker amended the task, which was a new authorization: what was made before is dead. Who may end it stays as it was accepted,
 * but for the key of who was re-keyed: it is that of the agent's next event.
 */
export function hearAmended(
  task: WatchedTask,
  { data }: EventOf<'task.amended'>,
  ceId: string,
  remembered: readonly Tombstone[],
): Change {
  const change = raise(task, data.generation, { cause: data.cause, causedBy: ceId }, remembered);
  if (change.suspension === undefined || task.accepted === null) return change;
  const { accepted } = task;
  const deadlineMs = Math.max(accepted.deadlineMs, Date.parse(data.deadline));
  const keys = data.rekeyed === undefined ? {} : withoutKey(task, data.rekeyed);
  return { ...change, task: { ...task, ...keys, accepted: { ...accepted, deadlineMs } } };
}

function raise(
  task: WatchedTask,
  generationBelow: number,
  why: { cause: CutCause; causedBy: string },
  remembered: readonly Tombstone[],
): Change {
  const { taskId } = task;
  const said = remembered.some(
    (tombstone) => tombstone.taskId === taskId && (tombstone.generationBelow ?? 0) >= generationBelow,
  );
  return said ? { task } : { task, suspension: { taskId, generationBelow, ...why } };
}

const end = (task: WatchedTask, outcome: EndOutcome, by: Sender): Change => ({
  task: { ...task, ended: { id: by.id, keyThumbprint: by.keyThumbprint, ceId: by.ceId } },
  end: { outcome, causedBy: by.ceId },
});

/** The first early end that counts under the start that counts. Once a start is accepted the others never will. */
function settled(task: WatchedTask, catalogue: Catalogue): Change {
  const counts = task.earlyEnds.find((early) => endRefusal(task, early, catalogue) === null);
  const next = task.accepted === null ? task : { ...task, earlyEnds: [] };
  if (counts === undefined || task.ended !== null) return { task: next };
  return end(next, counts.outcome, counts);
}

function endRefusal(task: WatchedTask, by: Sender, catalogue: Catalogue): Refusal | null {
  const start = startOf(task);
  if (!mayEnd(start ?? NOBODY, by.id, catalogue))
    return { code: 'ERR_NOT_ENTITLED', reason: 'the sender may not end this task' };
  const pins = start === null ? task.pins : { ...task.pins, [start.orchestrator]: start.keyThumbprint };
  return pinRefusal({ ...task, pins }, by.id, by.keyThumbprint);
}
