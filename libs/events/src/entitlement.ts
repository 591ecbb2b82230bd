/**
 * Rules 4 and 5 of admission: whose key is it, and who may say what. Pure, and shared by broker and revoker: the kill
 * path reads the same events with the same eyes, without a policy engine.
 */
import type { AgentEntry, Catalogue, OrchestratorEntry } from './catalogue.js';
import type { InboundType, TaskStarted } from './inbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { unreachable } from './unreachable.js';

/** Who matters in a task once its start is known. */
export interface TaskParties {
  /** Sender of `task.started`. */
  orchestrator: string;
  agents: readonly string[];
  agentsMayEnd: boolean;
}

/** Who may start a child, and under whose entry. */
export interface ParentTask extends TaskParties {
  /** Orchestrator of the catalogue whose entry bounds this task and its children. */
  bounds: string;
}

/** How much a task may do. Whether that is kept is policy's affair. */
export interface Limits {
  maxCalls: number;
  maxRows: number;
  /** Absent: no limit. */
  maxCallsPerMinute?: number | undefined;
}

/** What a child's declaration is measured against. */
export interface Delegating extends ParentTask {
  delegable: NonNullable<TaskStarted['delegable']>;
  /** On whose behalf. */
  principal: string;
  limits: Limits;
}

const no = (code: RefusalCode, reason: string, fields?: Refusal['fields']): Refusal =>
  fields === undefined ? { code, reason } : { code, reason, fields };

/** May this sender end the task: who started it, an operator, and an agent only if the declaration says so. */
export function mayEnd(task: TaskParties, sender: string, catalogue: Catalogue): boolean {
  if (sender === task.orchestrator) return true;
  if (catalogue.operators.get(sender)?.roles.includes('operator') === true) return true;
  return task.agentsMayEnd && task.agents.includes(sender);
}

/**
 * Could this sender turn out to be entitled to end a task not known yet? Only such ends are remembered: their number is
 * bounded, and strangers must not crowd out the orchestrator's.
 */
export function couldEnd(sender: string, catalogue: Catalogue): boolean {
  return (
    catalogue.orchestrators.has(sender) ||
    catalogue.agents.has(sender) ||
    catalogue.operators.get(sender)?.roles.includes('operator') === true
  );
}

/** May this sender report `tool.completed`: a named agent, or a verifier of any tool. */
export function mayReport(task: TaskParties, sender: string, catalogue: Catalogue): boolean {
  if (task.agents.includes(sender)) return true;
  return [...catalogue.tools.values()].some((tool) => tool.verifiers.includes(sender));
}

/**
 * May this sender say something of this kind in this task, whatever it says? Of a task not known yet only an orchestrator may:
 * it is the one that can start it.
 */
export function mayAct(
  task: TaskParties | null,
  type: InboundType,
  sender: string,
  catalogue: Catalogue,
): boolean {
  if (task === null) return catalogue.orchestrators.has(sender);
  switch (type) {
    case 'task.ended':
      return mayEnd(task, sender, catalogue);
    case 'tool.completed':
      return mayReport(task, sender, catalogue);
    case 'tool.called':
    case 'lease.renewal_requested':
      return task.agents.includes(sender);
    case 'task.started':
    case 'task.amended':
      return task.orchestrator === sender;
    default:
      return unreachable(type);
  }
}

/**
 * The catalogue's entry that bounds this declaration, or why there is none. A start that fails here does nothing at all:
 * it must not burn somebody else's task id.
 */
export function boundsOf(
  start: TaskStarted,
  sender: string,
  catalogue: Catalogue,
  parent: ParentTask | null,
): { ok: true; entry: OrchestratorEntry } | { ok: false; refusal: Refusal } {
  const own = catalogue.orchestrators.get(sender);
  if (start.parent === undefined)
    return own === undefined
      ? { ok: false, refusal: no('ERR_NOT_ENTITLED', 'the sender is no orchestrator') }
      : { ok: true, entry: own };
  if (parent === null)
    return { ok: false, refusal: no('ERR_PARENT_UNKNOWN', 'the parent task is not known') };
  const entry = catalogue.orchestrators.get(parent.bounds);
  const ofParent = sender === parent.orchestrator || parent.agents.includes(sender);
  if (entry === undefined || !ofParent)
    return { ok: false, refusal: no('ERR_NOT_ENTITLED', 'the sender may not start a child of this task') };
  return { ok: true, entry };
}

/** `user:maria@corp.example` is of domain `corp.example`. */
export function mayAssert(entry: OrchestratorEntry, principal: string): boolean {
  const at = principal.lastIndexOf('@');
  return at > 0 && entry.mayAssert.includes(principal.slice(at + 1));
}

/** The keys of a task's senders, by thumbprint. */
export interface Keys {
  /** That of each sender, pinned at its first use. */
  pins: Readonly<Record<string, string>>;
  /** Those that a sender had until the task was re-keyed: never again. */
  formerKeys?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** The key is pinned per (task, sender) at first use. */
export function pinRefusal(
  { pins, formerKeys }: Keys,
  sender: string,
  keyThumbprint: string,
): Refusal | null {
  if (formerKeys?.[sender]?.includes(keyThumbprint) === true)
    return no('ERR_KEY_CHANGED', 'the task was re-keyed: this key of the sender is good for nothing in it');
  const pinned = pins[sender];
  return pinned === undefined || pinned === keyThumbprint
    ? null
    : no('ERR_KEY_CHANGED', 'another key was used before by this sender in this task');
}

/** The key of whoever uses what a task has: pinned in it, and taken from its sender neither there nor in a task above. */
export function keyRefusal(
  task: Keys,
  ancestors: readonly Keys[],
  sender: string,
  keyThumbprint: string,
): Refusal | null {
  const isFormer = ancestors.some(({ formerKeys }) => formerKeys?.[sender]?.includes(keyThumbprint));
  return isFormer
    ? no('ERR_KEY_CHANGED', 'a task above was re-keyed: this key of the sender is good for nothing below it')
    : pinRefusal(task, sender, keyThumbprint);
}

/** Whether this sender has spoken in the task before: then it is in no further task by speaking. */
export const hasSpoken = ({ pins, formerKeys }: Keys, sender: string): boolean =>
  pins[sender] !== undefined || formerKeys?.[sender] !== undefined;

/** Whoever is re-keyed speaks with another key from now on. */
export function withoutKey({ pins, formerKeys = {} }: Keys, sender: string) {
  const { [sender]: dropped, ...kept } = pins;
  const former = [...(formerKeys[sender] ?? []), ...(dropped === undefined ? [] : [dropped])];
  return { pins: kept, formerKeys: { ...formerKeys, [sender]: former } };
}

/** Tasks of one identity at once: checked where a key is pinned in a further task. */
export function sharedRefusal(
  entry: Pick<AgentEntry | OrchestratorEntry, 'maxConcurrentTasks'> | undefined,
  openTasksOfSender: number,
): Refusal | null {
  return entry !== undefined && openTasksOfSender >= entry.maxConcurrentTasks
    ? no('ERR_IDENTITY_SHARED', 'this identity is in too many tasks at once', {
        limit: entry.maxConcurrentTasks,
      })
    : null;
}
