/** A declaration: may this sender declare it, and can it be? */
import type { AgentStanding } from './agent-standing.js';
import type { Declaration } from './declaration.js';
import { authorize, refusedTask, toldOf } from './authorize-task.js';
import type { Catalogue, OrchestratorEntry } from './catalogue.js';
import { declarationProblems, principalProblems, refusalOf } from './declaration-problems.js';
import { endOfEarly } from './end-task.js';
import { boundsOf, keyRefusal, sharedRefusal, type Limits } from './entitlement.js';
import type { TaskStarted } from './inbound.js';
import type { EventOf } from './outbound.js';
import type { Refusal } from './refusal.js';
import { serviceSource } from './services.js';
import { ancestryRefusal, evolve, lineageOf, type Decided, type Sender, type Task } from './task.js';
import type { Judge } from './verdict.js';

const BROKER = serviceSource('broker');

export interface StartFacts {
  catalogue: Catalogue;
  judge: Judge;
  /** Parent first; empty without a parent, or where the parent is not known. */
  ancestors: readonly Task[];
  openTasksOfSender: number;
  /** Of the sender, who may be an agent; absent: nobody ever revoked it. */
  standing?: AgentStanding;
  /** How many ancestors a task may have. */
  maxDepth: number;
  nowMs: number;
}

export function decideStart(task: Task, start: TaskStarted, by: Sender, facts: StartFacts): Decided {
  if (task.status !== 'unknown')
    return { is: 'rejected', refusal: { code: 'ERR_TASK_EXISTS', reason: 'the task was declared before' } };
  const parent = facts.ancestors[0]?.declaration ?? null;
  const bounds = boundsOf(start, by.id, facts.catalogue, parent);
  if (!bounds.ok) return { is: 'rejected', refusal: bounds.refusal };
  const key = keyRefusal(task, facts.ancestors, by.id, by.keyThumbprint);
  if (key !== null) return { is: 'rejected', refusal: key };
  const entry = facts.catalogue.orchestrators.get(by.id) ?? facts.catalogue.agents.get(by.id);
  if (facts.standing?.revoked === true)
    return { is: 'rejected', refusal: { code: 'ERR_AGENT_REVOKED', reason: 'the agent is revoked' } };
  const shared = sharedRefusal(entry, facts.openTasksOfSender);
  if (shared !== null) return { is: 'rejected', refusal: shared };

  const common = {
    ...{ taskId: task.taskId, generation: 0, tenant: bounds.entry.tenant },
    ...{ causedBy: by.ceId, actor: BROKER, at: new Date(facts.nowMs).toISOString() },
  };
  const refusal = refusalOf(problemsOf(start, by, bounds.entry, facts));
  if (refusal !== null) return refusedTask('task.refused', common, refusal, facts.judge.digest);
  const declaration = declarationOf(start, by, bounds.entry, facts);
  const authorized = authorize('task.refused', common, declaration, facts);
  if (!authorized.ok) return authorized.refused;

  const { verdict } = authorized;
  const proved = by.principalProved === true ? 'token' : 'asserted';
  const accepted: EventOf<'task.accepted'> = {
    type: 'task.accepted',
    data: {
      ...common,
      generation: 1,
      ...toldOf(declaration, facts.judge.digest, verdict),
      principal: { id: start.principal.id, kind: start.principal.kind, proved },
      purpose: start.purpose,
      objectiveSha256: start.objectiveSha256,
      deadline: start.deadline,
      lineage: lineageOf({ taskId: task.taskId, generation: 1 }, facts.ancestors),
      proofKey: by.keyThumbprint,
    },
  };
  return {
    is: 'decided',
    events: [accepted, ...endOfEarly(evolve(task, accepted), facts)],
    inputs: { digest: verdict.inputsDigest, inputs: verdict.inputs },
  };
}

/** All that is wrong with it. */
function problemsOf(
  start: TaskStarted,
  by: Sender,
  entry: OrchestratorEntry,
  { catalogue, ancestors, maxDepth, nowMs }: StartFacts,
): Refusal[] {
  const deadlineMs = Date.parse(start.deadline);
  const parent = ancestors[0]?.declaration ?? null;
  const { declared, delegable = [], limits, risk } = start;
  const said = { agents: start.agents.map((agent) => agent.id), declared, delegable, limits, risk };
  const ancestry = ancestryRefusal(ancestors, nowMs);
  return [
    ...deadlineProblems(deadlineMs, ancestors, nowMs),
    ...declarationProblems(said, { by: by.id, entry, catalogue, parent }),
    ...principalProblems(start, by, catalogue, parent),
    ...(ancestry === null ? [] : [ancestry]),
    ...(ancestors.length > maxDepth
      ? [{ code: 'ERR_DELEGATION_TOO_DEEP' as const, reason: 'too many ancestors', fields: { maxDepth } }]
      : []),
  ];
}

/** A deadline lies ahead, and no later than that of any ancestor. */
export function deadlineProblems(deadlineMs: number, ancestors: readonly Task[], nowMs: number): Refusal[] {
  const outlives = ancestors.some((each) => (each.declaration?.deadlineMs ?? 0) < deadlineMs);
  return [
    ...(deadlineMs <= nowMs
      ? [{ code: 'ERR_DEADLINE_PAST' as const, reason: 'the deadline has passed' }]
      : []),
    ...(outlives
      ? [{ code: 'ERR_DECLARATION_INVALID' as const, reason: "the deadline is after the parent's" }]
      : []),
  ];
}

function declarationOf(
  start: TaskStarted,
  by: Sender,
  entry: OrchestratorEntry,
  { ancestors, nowMs }: StartFacts,
): Declaration {
  return {
    orchestrator: by.id,
    agents: start.agents.map((agent) => agent.id),
    agentsMayEnd: start.agentsMayEnd ?? false,
    bounds: entry.id,
    delegable: start.delegable ?? [],
    tenant: entry.tenant,
    principal: start.principal.id,
    purpose: start.purpose,
    objectiveSha256: start.objectiveSha256,
    declared: start.declared,
    startedAtMs: nowMs,
    deadlineMs: Date.parse(start.deadline),
    risk: start.risk,
    limits: limitsOf(start.limits, entry.limits, ancestors[0]?.declaration?.limits),
    ancestors: ancestors.map((each) => each.taskId),
  };
}

/** What a task does not say itself is what is usual, and no more than its parent has. */
function limitsOf(said: TaskStarted['limits'], usual: Limits, parent: Limits | undefined): Limits {
  const of = (limit: keyof Limits): number =>
    said?.[limit] ?? Math.min(usual[limit] ?? Infinity, parent?.[limit] ?? Infinity);
  const maxCallsPerMinute = of('maxCallsPerMinute');
  return {
    maxCalls: of('maxCalls'),
    maxRows: of('maxRows'),
    ...(maxCallsPerMinute === Infinity ? {} : { maxCallsPerMinute }),
  };
}
