/** The answer to an evaluation: yes or no, and why. Whoever cannot meet an obligation MUST take it for a no. */
import { unreachable } from '#events/unreachable.js';
import type { Evaluation } from '../../evaluate-acts.js';
import type { Semantic } from './evaluation-request.js';

export interface EvaluationReply {
  decision: boolean;
  context: object;
}

export function replyTo(evaluation: Evaluation): EvaluationReply {
  const { decision, code, reasons, checks, obligations, policySet } = evaluation;
  const { ttlMs } = obligations;
  return {
    decision: decision === 'permit',
    context: {
      ...(code === undefined ? {} : { code }),
      reasons,
      determining_policies: [...new Set(checks.flatMap(({ policies = [] }) => policies))].sort(),
      checks: checks.map(({ check, ok }) => ({ check, ok })),
      obligations: { ...(ttlMs === null ? {} : { ttl_ms: ttlMs }) },
      ...(decision === 'approval_required'
        ? { remedy: { type: 'approval', approval: obligations.approval } }
        : {}),
      policy_set: policySet,
    },
  };
}

/** One of a batch that could not be read: a no, as every error is. */
export const UNREADABLE: EvaluationReply = {
  decision: false,
  context: {
    error: { status: 400, message: 'the evaluation cannot be read' },
    code: 'ERR_EVALUATION_INVALID',
  },
};

/** How many of a batch are answered: up to the first that ends it, that one included. */
export function answered(replies: readonly EvaluationReply[], semantic: Semantic): EvaluationReply[] {
  const last = endOf(replies, semantic);
  return last === -1 ? [...replies] : replies.slice(0, last + 1);
}

function endOf(replies: readonly EvaluationReply[], semantic: Semantic): number {
  switch (semantic) {
    case 'execute_all':
      return -1;
    case 'deny_on_first_deny':
      return replies.findIndex(({ decision }) => !decision);
    case 'permit_on_first_permit':
      return replies.findIndex(({ decision }) => decision);
    default:
      return unreachable(semantic);
  }
}
