/** A declaration: may this sender declare it, and can it be? */
import { serviceSource } from './services.js';
import type { Catalogue } from './catalogue.js';
import { endOfEarly } from './end-task.js';
import { boundsOf, declarationRefusal, sharedRefusal } from './entitlement.js';
import type { TaskStarted } from './inbound.js';
import type { EventOf, Lineage } from './outbound.js';
import type { Refusal } from './refusal.js';
import { ancestryRefusal, evolve, type Decided, type Sender, type Task } from './task.js';
import type { Judge } from './verdict.js';

const BROKER = serviceSource('broker');
/** Every call locks and every lease names the whole chain. */
const ANCESTORS_MAX = 16;

export interface StartFacts {
  catalogue: Catalogue;
  judge: Judge;
  /** Parent first; empty without a parent, or where the parent is not known. */
  ancestors: readonly Task[];
  openTasksOfSender: number;
  nowMs: number;
}

export function decideStart(task: Task, start: TaskStarted, by: Sender, facts: StartFacts): Decided {
  if (task.status !== 'unknown')
    return { is: 'rejected', refusal: { code: 'ERR_TASK_EXISTS', reason: 'the task was declared before' } };
  const parent = facts.ancestors[0]?.declaration ?? null;
  const bounds = boundsOf(start, by.id, facts.catalogue, parent);
  if (!bounds.ok) return { is: 'rejected', refusal: bounds.refusal };
  const entry = facts.catalogue.orchestrators.get(by.id) ?? facts.catalogue.agents.get(by.id);
  const shared = sharedRefusal(entry, facts.openTasksOfSender);
  if (shared !== null) return { is: 'rejected', refusal: shared };

  const common = { taskId: task.taskId, tenant: bounds.entry.tenant, causedBy: by.ceId, actor: BROKER };
  const at = new Date(facts.nowMs).toISOString();
  const refuse = (
    refusal: Refusal,
    policy?: { policies: string[]; digest: string; inputs: object },
  ): Decided => ({
    is: 'refused',
    event: {
      type: 'task.refused',
      data: {
        ...common,
        generation: 0,
        at,
        code: refusal.code,
        reason: refusal.reason,
        policySet: facts.judge.digest,
        ...(policy === undefined ? {} : { policies: policy.policies, inputs: policy.digest }),
      },
    },
    ...(policy === undefined ? {} : { inputs: { digest: policy.digest, inputs: policy.inputs } }),
  });

  const deadlineMs = Date.parse(start.deadline);
  if (deadlineMs <= facts.nowMs)
    return refuse({ code: 'ERR_DEADLINE_PAST', reason: 'the deadline has passed' });
  const proved = by.principalProved === true ? 'token' : 'asserted';
  const declaration = declarationRefusal(start, by, bounds.entry, facts.catalogue, parent);
  if (declaration !== null) return refuse(declaration);
  const ancestry = ancestryRefusal(facts.ancestors, facts.nowMs);
  if (ancestry !== null) return refuse(ancestry);
  if (facts.ancestors.some((each) => (each.declaration?.deadlineMs ?? 0) < deadlineMs))
    return refuse({ code: 'ERR_DECLARATION_INVALID', reason: "the deadline is after the parent's" });

  if (facts.ancestors.length > ANCESTORS_MAX)
    return refuse({ code: 'ERR_DECLARATION_INVALID', reason: 'too many ancestors' });

  const usual = bounds.entry.limits;
  const limits = {
    maxCalls: start.limits?.maxCalls ?? Math.min(usual.maxCalls, parent?.limits.maxCalls ?? Infinity),
    maxRows: start.limits?.maxRows ?? Math.min(usual.maxRows, parent?.limits.maxRows ?? Infinity),
  };
  const agents = start.agents.map((agent) => agent.id);
  const verdict = facts.judge.decideTask({
    catalogue: facts.catalogue,
    orchestrator: bounds.entry.id,
    agents,
    declared: start.declared,
    task: {
      taskId: task.taskId,
      orchestrator: by.id,
      onBehalfOf: start.principal.id,
      purpose: start.purpose,
      risk: start.risk,
      deadlineMs,
      depth: facts.ancestors.length,
      ...limits,
    },
  });
  const kept = { policies: verdict.policies, digest: verdict.inputsDigest, inputs: verdict.inputs };
  if (verdict.decision === 'deny')
    return refuse(
      { code: verdict.code ?? 'ERR_TASK_FORBIDDEN', reason: verdict.reason ?? 'policy forbids this task' },
      kept,
    );

  const accepted: EventOf<'task.accepted'> = {
    type: 'task.accepted',
    data: {
      ...common,
      generation: 1,
      at,
      orchestrator: by.id,
      principal: { id: start.principal.id, kind: start.principal.kind, proved },
      purpose: start.purpose,
      objectiveSha256: start.objectiveSha256,
      agents,
      declared: start.declared,
      deadline: start.deadline,
      risk: start.risk,
      lineage: [{ taskId: task.taskId, generation: 1 }, ...lineageOfAncestors(facts.ancestors)],
      policySet: facts.judge.digest,
      bounds: bounds.entry.id,
      agentsMayEnd: start.agentsMayEnd ?? false,
      delegable: start.delegable ?? [],
      limits,
      proofKey: by.keyThumbprint,
      policies: verdict.policies,
      inputs: verdict.inputsDigest,
    },
  };
  return {
    is: 'decided',
    events: [accepted, ...endOfEarly(evolve(task, accepted), facts)],
    inputs: { digest: verdict.inputsDigest, inputs: verdict.inputs },
  };
}

const lineageOfAncestors = (ancestors: readonly Task[]): Lineage =>
  ancestors.map(({ taskId, generation }) => ({ taskId, generation }));
