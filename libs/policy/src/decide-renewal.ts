/**
 * May a lease be renewed? The call that led to it is decided again, tool and dataset; and no policy may forbid the action `renew` on
 * its task. What is permitted by no policy at all is only the lengthening, for the access itself is decided by the other two.
 */
import type { RefusalCode } from '#events/refusal.js';
import { unreachable } from '#events/unreachable.js';
import { entityRef, uid, type CedarRequest } from './cedar-request.js';
import { decideCall, type CallDecision, type CallRequest } from './decide-call.js';
import { inputsDigest } from './decision-inputs.js';
import { evaluate } from './evaluate.js';
import { agentEntity, nowFacts, taskFacts } from './facts.js';
import { NO_OBLIGATIONS } from './obligations.js';
import type { ParsedPolicies } from './parse-policies.js';

export type RenewalDecision = Omit<CallDecision, 'code'> & {
  code?: NonNullable<CallDecision['code']> | Extract<RefusalCode, 'ERR_RENEWAL_FORBIDDEN'>;
};

/** Never throws. The inputs are those of the call, with `renew` beside `tool` and `dataset`. */
export function decideRenewal(policies: ParsedPolicies, request: CallRequest): RenewalDecision {
  const call = decideCall(policies, request);
  if (call.decision !== 'permit') return call;
  const renew = renewRequest(request);
  const inputs = { ...call.inputs, renew };
  const { code, ...check } = judge(policies, renew);
  const decided = {
    ...call,
    checks: [...call.checks, { check: 'renew_policy', ...check }],
    ...{ inputs, inputsDigest: inputsDigest(inputs) },
  };
  return code === undefined
    ? decided
    : { ...decided, decision: 'deny', code, reasons: [check.reason], obligations: NO_OBLIGATIONS };
}

interface Word {
  code?: 'ERR_RENEWAL_FORBIDDEN' | 'ERR_POLICY_FAILED';
  ok: boolean;
  policies: string[];
  reason: string;
}

function judge(policies: ParsedPolicies, renew: CedarRequest): Word {
  const evaluation = evaluate(policies, renew);
  const words = evaluation.policies.flatMap((id) => policies.rules.get(id)?.reason ?? []);
  const said = { policies: evaluation.policies, reason: words.join('; ') };
  switch (evaluation.outcome) {
    case 'permit':
      return { ok: true, ...said };
    case 'deny':
      return evaluation.policies.length === 0
        ? { ok: true, policies: [], reason: 'no policy forbids it' }
        : { ok: false, ...said, code: 'ERR_RENEWAL_FORBIDDEN' };
    case 'failed':
      return { ok: false, ...said, reason: evaluation.problem, code: 'ERR_POLICY_FAILED' };
    default:
      return unreachable(evaluation);
  }
}

/** Requires facts that can be stated: the call's are the same. */
function renewRequest({ catalogue, agent, task, now }: CallRequest): CedarRequest {
  const { taskId, orchestrator, onBehalfOf } = task;
  return {
    principal: uid('Agent', agent),
    action: uid('Action', 'renew'),
    resource: uid('Task', taskId),
    context: { task: taskFacts(task), now: nowFacts(now) },
    entities: [
      ...agentEntity(catalogue, agent),
      {
        uid: uid('Task', taskId),
        attrs: { orchestrator, onBehalfOf: entityRef('Human', onBehalfOf) },
        parents: [],
      },
    ],
  };
}
