/** A call that policy lets through with the word of people: what they are asked, and who they may be. */
import { approversOf, isApproved, lapseOf } from './approval.js';
import type { ApprovalFacts } from './approval-facts.js';
import type { CallFacts } from './call-facts.js';
import type { TargetEntry } from './catalogue.js';
import type { ToolCalled } from './inbound.js';
import type { EventOf } from './outbound.js';
import type { Refusal } from './refusal.js';
import { lineageOf } from './task.js';

/** How many people policy's word for it means. What is not known asks for more, not for less. */
const NEEDED: Partial<Record<string, number>> = { 'one-person': 1 };

/** Who has approved exactly this call, in exactly this state of its task; null: nobody, or not all that are needed. */
export function approversFor(facts: CallFacts, callDigest: () => string): string[] | null {
  const given = facts.approvals?.given ?? null;
  if (given === null || given.requested.callDigest !== callDigest() || !isApproved(given)) return null;
  const { task, ancestors, nowMs } = facts;
  const why = lapseOf(given, { chain: [task, ...ancestors], nowMs });
  // Once it was used, its time does not matter any more: the lease has its own.
  return why === null || (why === 'time' && given.status === 'consumed') ? approversOf(given) : null;
}

/** What the agent is told, and whether anybody is asked at all. */
export function approvalRefusal(approvals: ApprovalFacts | undefined): Refusal {
  const flooded =
    approvals !== undefined &&
    !isAnswered(approvals) &&
    approvals.openOfAgent >= approvals.rules.maxOpenPerAgent;
  return flooded
    ? { code: 'ERR_APPROVAL_FLOOD', reason: 'too many calls of this agent wait for an approval' }
    : { code: 'ERR_APPROVAL_REQUIRED', reason: 'this call needs an approval' };
}

/** People are asked once for a call. */
const isAnswered = ({ given }: ApprovalFacts): boolean => given !== null;

/** @returns null where nobody is to be asked. */
export function requestApproval(
  call: ToolCalled,
  { data }: EventOf<'call.decided'>,
  { target, rights }: { target: TargetEntry; rights: string[] },
  facts: CallFacts,
  reasons: readonly string[],
): EventOf<'approval.requested'> | null {
  const { approvals, catalogue, task, ancestors, nowMs } = facts;
  const { approval } = data.obligations;
  if (approvals === undefined || approval === null || isAnswered(approvals)) return null;
  const { taskId, generation, tenant, causedBy, actor, at, callId, agent, tool, dataset, action } = data;
  const { callDigest, policySet, argumentsSha256 } = data;
  const deadlineMs = Math.min(...[task, ...ancestors].map((each) => each.declaration?.deadlineMs ?? nowMs));
  const groups = [catalogue.tools.get(tool)?.approvers, catalogue.datasets.get(dataset ?? '')?.approvers];
  const seconds = Math.ceil(Math.min(call.ttlMs ?? Infinity, target.maxTtlMs) / 1_000);
  return {
    type: 'approval.requested',
    data: {
      ...{ taskId, generation, actor, at, callId, agent, tool, action, callDigest, policySet, approval },
      ...(tenant === undefined ? {} : { tenant }),
      ...(causedBy === undefined ? {} : { causedBy }),
      ...(dataset === undefined ? {} : { dataset }),
      approvalId: approvals.newApprovalId,
      target: target.id,
      lineage: lineageOf(task, ancestors),
      needed: NEEDED[approval] ?? 2,
      groups: groups.flatMap((each) => (each === undefined || each.length === 0 ? [] : [each])),
      notBy: involvedIn(facts, [agent]),
      expiresAt: new Date(Math.min(nowMs + approvals.rules.expiresMs, deadlineMs)).toISOString(),
      binds:
        target.provider === 'jwt' && argumentsSha256 !== undefined
          ? { what: 'this_call', argumentsSha256, rights, seconds }
          : { what: 'these_rights', rights, seconds },
      reasons: [...reasons],
    },
  };
}

/** For whom the task and its ancestors run, and who answers for what asks: they would approve themselves. */
export function involvedIn(
  { task, ancestors, catalogue }: Pick<CallFacts, 'task' | 'ancestors' | 'catalogue'>,
  agents: readonly string[],
): string[] {
  const involved = new Set<string>();
  const ownerOf = (id: string) => (catalogue.orchestrators.get(id) ?? catalogue.agents.get(id))?.owner ?? id;
  for (const { declaration } of [task, ...ancestors]) {
    if (declaration === null) continue;
    involved.add(declaration.principal);
    for (const id of [declaration.orchestrator, declaration.bounds]) involved.add(ownerOf(id));
  }
  for (const agent of agents) involved.add(ownerOf(agent));
  return [...involved].sort();
}
