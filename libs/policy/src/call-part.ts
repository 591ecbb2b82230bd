/** One of the two decisions of a call, and whether an approval would turn it. */
import type { CedarRequest } from './cedar-request.js';
import { entityRef } from './cedar-request.js';
import { evaluate, type Evaluate } from './evaluate.js';
import type { ParsedPolicies } from './parse-policies.js';
import type { Approval, Rule } from './rule.js';
import { unreachable } from '#events/unreachable.js';

/** `policies`: ids of the determining policies, sorted; `reason`: their words. */
export type Part = { policies: string[]; reason: string } & (
  | { kind: 'permit'; permits: Rule[] }
  | { kind: 'deny' | 'failed' }
  | { kind: 'needs_approval'; approvals: Approval[] }
);

/** @param ask the engine, unless told otherwise */
export function partOf(policies: ParsedPolicies, request: CedarRequest, ask: Evaluate = evaluate): Part {
  const evaluation = ask(policies, request);
  const rules = evaluation.policies.flatMap((id) => policies.rules.get(id) ?? []);
  const said = { policies: evaluation.policies, reason: wordsOf(rules) };
  switch (evaluation.outcome) {
    case 'permit':
      return { kind: 'permit', permits: rules, ...said };
    case 'failed':
      return { kind: 'failed', policies: evaluation.policies, reason: evaluation.problem };
    case 'deny': {
      const approvals = rules.flatMap(({ approval }) => approval ?? []);
      const liftable = rules.length > 0 && approvals.length === rules.length;
      if (liftable && wouldPermitIfApproved(policies, request, ask))
        return { kind: 'needs_approval', approvals, ...said };
      return { kind: 'deny', ...said };
    }
    default:
      return unreachable(evaluation);
  }
}

/** A trial with two approvers who do not exist. It answers yes or no and nothing else, so that nothing can be issued from it. */
function wouldPermitIfApproved(policies: ParsedPolicies, request: CedarRequest, ask: Evaluate): boolean {
  const { now, ...context } = request.context;
  if (typeof now !== 'object' || now === null || Array.isArray(now)) return false;
  const approvers = ['mayfly:trial:1', 'mayfly:trial:2'].map((person) => entityRef('Human', person));
  const approved = { ...now, approval: 'approved', approvers, approverCount: approvers.length };
  return ask(policies, { ...request, context: { ...context, now: approved } }).outcome === 'permit';
}

const wordsOf = (rules: readonly Rule[]): string =>
  rules.length === 0 ? 'no policy permits it' : rules.map(({ reason }) => reason).join('; ');
