/**
 * A call: an agent is about to act. The walls first, which no policy moves; then policy, twice; then a plan.
 * Every check is named in `call.decided`.
 */
import { generationOf, GOOD_STANDING } from './agent-standing.js';
import type { ApprovalFacts } from './approval-facts.js';
import { callDigestOf } from './call-digest.js';
import type { CallFacts } from './call-facts.js';
import { questionOf } from './call-question.js';
import { targetOf, type TargetEntry } from './catalogue.js';
import { scoreAfter, scoreOf } from './drift.js';
import type { DriftSignal } from './drift-signal.js';
import { hasSpoken, keyRefusal, sharedRefusal } from './entitlement.js';
import type { ToolCalled } from './inbound.js';
import { tokenOf } from './intend-token.js';
import type { Check, EventOf } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { approvalRefusal, approversFor, requestApproval } from './request-approval.js';
import { signalsOfCall, signalsOfDecision } from './see-drift.js';
import { serviceSource } from './services.js';
import { lineageOf, type Sender } from './task.js';
import { unreachable } from './unreachable.js';
import type { CallVerdict } from './verdict.js';
import { walls } from './walls.js';

/** createBy = intent + this at most (protocol). */
export const CREATE_WINDOW_MS = 10_000;
/** A lease shorter than this helps nobody: its agent could not even log in. */
const TTL_MIN_MS = 1_000;

export interface CallDecided {
  is: 'decided';
  decided: EventOf<'call.decided'>;
  /** Only with a permit. */
  intended: EventOf<'lease.intended'> | null;
  /** Only where the call waits for people. */
  requested: EventOf<'approval.requested'> | null;
  /** What the agent is told when there is no permit. */
  refusal: Refusal | null;
  reasons: string[];
  inputs?: { digest: string; inputs: object };
}

/** @returns `rejected` where the sender is not entitled to call in this task at all (rules 4 and 5 of admission). */
export function decideCall(
  call: ToolCalled,
  by: Sender,
  facts: CallFacts,
): CallDecided | { is: 'rejected'; refusal: Refusal } {
  const { task } = facts;
  const { declaration } = task;
  if (declaration === null) return rejected('ERR_TASK_UNKNOWN', 'no such task was accepted');
  if (!declaration.agents.includes(by.id))
    return rejected('ERR_AGENT_NOT_NAMED', 'the sender is no agent of this task');
  const pin = keyRefusal(task, facts.ancestors, by.id, by.keyThumbprint);
  if (pin !== null) return { is: 'rejected', refusal: pin };
  if (!hasSpoken(task, by.id)) {
    const shared = sharedRefusal(facts.catalogue.agents.get(by.id), facts.openTasksOfSender);
    if (shared !== null) return { is: 'rejected', refusal: shared };
  }

  const { checks, refusal } = walls(call, by, declaration, facts);
  const watched = watch(call, by, facts);
  if (refusal !== null) return answer(call, by, facts, checks, null, refusal, watched.signals);
  if (watched.isTooFar) {
    checks.push({ check: 'not_drifted', ok: false, reason: TOO_FAR.reason });
    return answer(call, by, facts, checks, null, TOO_FAR, watched.signals);
  }
  const approvers = approversFor(facts, () => callDigestOf(call, by, facts));
  const drift = watched.score;
  const verdict = facts.judge.decideCall(
    questionOf(call, by, declaration, facts, { renewals: 0, approvers, drift }),
  );
  checks.push(...verdict.checks);
  return answer(call, by, facts, checks, verdict, refusalOf(verdict, facts.approvals), watched.signals);
}

const TOO_FAR: Refusal = {
  code: 'ERR_TASK_SUSPENDED',
  reason: 'with this call the task is suspended for drift',
};

/** What the call says of drift, and the score with it: policy sees that, and nothing is given to the call that suspends its task. */
function watch(call: ToolCalled, by: Sender, { task, watch: watched }: CallFacts) {
  const score = scoreOf(task);
  if (watched === undefined) return { signals: [], score, isTooFar: false };
  const signals = signalsOfCall(task, call, by.id, watched.saidAtMs);
  const after = scoreAfter(score, signals, watched.rules);
  return { signals, score: after, isTooFar: signals.length > 0 && after >= watched.rules.suspendAt };
}

/** Why there is no permit; null where there is. @param approvals absent: nobody can be asked */
export function refusalOf(verdict: CallVerdict, approvals?: ApprovalFacts): Refusal | null {
  switch (verdict.decision) {
    case 'permit':
      // A filter that nobody enforces is no filter: fail closed.
      return verdict.obligations.rowFilters.length === 0
        ? null
        : {
            code: 'ERR_POLICY_FAILED',
            reason: 'policy asks for a row filter that this target cannot enforce',
          };
    case 'deny':
      return { code: verdict.code ?? 'ERR_POLICY_FAILED', reason: 'policy does not permit this call' };
    case 'approval_required':
      return approvalRefusal(approvals);
    default:
      return unreachable(verdict.decision);
  }
}

/** @param refusal by a wall or by policy */
function answer(
  call: ToolCalled,
  by: Sender,
  facts: CallFacts,
  checks: Check[],
  verdict: CallVerdict | null,
  refusal: Refusal | null,
  said: readonly DriftSignal[],
): CallDecided {
  const { task, catalogue, nowMs } = facts;
  const common = {
    taskId: task.taskId,
    generation: task.generation,
    tenant: task.declaration?.tenant ?? '',
    causedBy: by.ceId,
    actor: serviceSource('broker'),
    at: new Date(nowMs).toISOString(),
    callId: call.callId,
    agent: by.id,
  };
  const found = targetOf(call, catalogue);
  // What people have approved is tried all the same: their word is used once.
  const unavailable =
    refusal === null && found !== null && !facts.approvals?.given
      ? (facts.unavailable?.(found.target.id) ?? null)
      : null;
  const intended =
    refusal === null && found !== null && unavailable === null
      ? intend(call, by, facts, common, found, verdict?.obligations.ttlMs ?? null)
      : null;
  const callDigest = callDigestOf(call, by, facts);
  // That nothing is lent now is no word of policy's, and no drift of the agent's.
  const outcome = { agent: by.id, decision: decisionOf(verdict, refusal), ...codeOf(refusal ?? unavailable) };
  const signals =
    facts.watch === undefined ? [] : [...said, ...signalsOfDecision(task, outcome, facts.watch.rules)];
  const decided: EventOf<'call.decided'> = {
    type: 'call.decided',
    data: {
      ...common,
      tool: call.tool,
      ...(call.dataset === undefined ? {} : { dataset: call.dataset }),
      action: call.action,
      ...outcome,
      checks,
      policySet: facts.judge.digest,
      ...(verdict === null ? {} : { inputs: verdict.inputsDigest }),
      obligations: {
        ttlMs: verdict?.obligations.ttlMs ?? null,
        approval: verdict?.obligations.approval ?? null,
      },
      ...(intended === null ? {} : { leaseId: intended.data.leaseId }),
      callDigest,
      ...(facts.sealKeyThumbprint === null ? {} : { sealTo: facts.sealKeyThumbprint }),
      proofKey: by.keyThumbprint,
      ...(call.argumentsSha256 === undefined ? {} : { argumentsSha256: call.argumentsSha256 }),
      ...(call.prompt === undefined ? {} : { promptCommitment: call.prompt.commitment }),
      ...(call.model === undefined ? {} : { model: call.model }),
      ...(signals.length === 0 ? {} : { signals }),
    },
  };
  const requested =
    refusal?.code === 'ERR_APPROVAL_REQUIRED' && found !== null
      ? requestApproval(call, decided, found, facts, verdict?.reasons ?? [])
      : null;
  return {
    is: 'decided',
    decided,
    intended,
    requested,
    refusal: refusal ?? unavailable,
    reasons:
      refusal === null
        ? unavailable === null
          ? []
          : [unavailable.reason]
        : [refusal.reason, ...(verdict?.reasons ?? [])],
    ...(verdict === null ? {} : { inputs: { digest: verdict.inputsDigest, inputs: verdict.inputs } }),
  };
}

const codeOf = (refusal: Refusal | null) => (refusal === null ? {} : { code: refusal.code });

function decisionOf(verdict: CallVerdict | null, refusal: Refusal | null): CallVerdict['decision'] {
  if (refusal === null) return 'permit';
  return verdict?.decision === 'approval_required' ? 'approval_required' : 'deny';
}

/** A lease ends no later than its task, its policy's TTL and its target's maximum. */
function intend(
  call: ToolCalled,
  by: Sender,
  facts: CallFacts,
  common: { taskId: string; generation: number; callId: string; agent: string; actor: string; at: string },
  { target, rights }: { target: TargetEntry; rights: string[] },
  policyTtlMs: number | null,
): EventOf<'lease.intended'> {
  const { nowMs, newLeaseId, task, ancestors, standing = GOOD_STANDING } = facts;
  const deadlineMs = Math.min(...[task, ...ancestors].map((each) => each.declaration?.deadlineMs ?? nowMs));
  const ttlMs = Math.max(
    TTL_MIN_MS,
    Math.min(call.ttlMs ?? Infinity, policyTtlMs ?? Infinity, target.maxTtlMs),
  );
  const iso = (ms: number) => new Date(ms).toISOString();
  const notAfterMs = Math.min(nowMs + ttlMs, deadlineMs);
  return {
    type: 'lease.intended',
    data: {
      ...common,
      leaseId: newLeaseId,
      provider: target.provider,
      target: target.id,
      principal: facts.principalOf(target.id, newLeaseId),
      rights,
      ...generationOf(standing),
      lineage: lineageOf(task, ancestors),
      createBy: iso(Math.min(nowMs + CREATE_WINDOW_MS, notAfterMs)),
      notAfter: iso(notAfterMs),
      hardEnd: iso(deadlineMs),
      ...(target.provider === 'jwt'
        ? { token: tokenOf(call, by, facts, { audience: target.audience, actions: rights }) }
        : {}),
    },
  };
}

const rejected = (code: RefusalCode, reason: string) => ({
  is: 'rejected' as const,
  refusal: { code, reason },
});
