/** What was declared of a task, as it was accepted and amended since. */
import type { Delegating } from './entitlement.js';
import type { TaskStarted } from './inbound.js';
import type { EventOf } from './outbound.js';
import type { TaskFacts } from './verdict.js';

/** What an accepted task may do, and within what. */
export interface Declaration extends Delegating {
  tenant: string;
  purpose: string;
  objectiveSha256: string;
  declared: TaskStarted['declared'];
  /** When it was accepted. */
  startedAtMs: number;
  deadlineMs: number;
  risk: TaskFacts['risk'];
  /** Ids of the parent, its parent, and so on. */
  ancestors: string[];
}

export const declarationOf = (data: EventOf<'task.accepted'>['data']): Declaration => ({
  orchestrator: data.orchestrator,
  agents: data.agents,
  agentsMayEnd: data.agentsMayEnd,
  bounds: data.bounds,
  delegable: data.delegable,
  tenant: data.tenant ?? '',
  principal: data.principal.id,
  purpose: data.purpose,
  objectiveSha256: data.objectiveSha256,
  declared: data.declared,
  startedAtMs: Date.parse(data.at),
  deadlineMs: Date.parse(data.deadline),
  risk: data.risk as TaskFacts['risk'],
  limits: data.limits,
  ancestors: data.lineage.slice(1).map((link) => link.taskId),
});

/** What an amendment can change; all else stays as it was accepted. */
export const amendedBy = (
  declaration: Declaration | null,
  { declared, deadline }: EventOf<'task.amended'>['data'],
): Declaration | null =>
  declaration === null ? null : { ...declaration, declared, deadlineMs: Date.parse(deadline) };

/** What policy is told of it. */
export const factsOf = (taskId: string, declaration: Declaration): TaskFacts => ({
  taskId,
  orchestrator: declaration.orchestrator,
  onBehalfOf: declaration.principal,
  purpose: declaration.purpose,
  risk: declaration.risk,
  objectiveSha256: declaration.objectiveSha256,
  startedAtMs: declaration.startedAtMs,
  deadlineMs: declaration.deadlineMs,
  depth: declaration.ancestors.length,
  ...declaration.limits,
});
