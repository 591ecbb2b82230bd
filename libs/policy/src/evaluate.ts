/** One question, one answer. Whatever goes wrong is `failed`, which callers MUST treat as a denial. */
import { cedar } from './cedar.js';
import { type CedarRequest, missingEntity } from './cedar-request.js';
import { requestWith } from './facts-read.js';
import type { ParsedPolicies } from './parse-policies.js';
import { slotOf } from './policy-slots.js';

export type Evaluation =
  /** `policies`: the determining ones, sorted: all permits that hold, or all forbids that hold (none: nothing permits). */
  | { outcome: 'permit' | 'deny'; policies: string[] }
  | { outcome: 'failed'; problem: string; policies: string[] };

export type Evaluate = (policies: ParsedPolicies, request: CedarRequest) => Evaluation;

export function evaluate(policies: ParsedPolicies, request: CedarRequest): Evaluation {
  const missing = missingEntity(request);
  if (missing !== undefined) return failed('an entity is missing');
  try {
    const slot = slotOf(policies, request);
    if (slot === undefined) return failed('the facts do not fit the schema');
    const answer = cedar.statefulIsAuthorized({
      ...requestWith(slot.names, request),
      preparsedSchemaName: slot.schema,
      preparsedPolicySetId: slot.policies,
      validateRequest: true,
    });
    if (answer.type === 'failure') return failed('the facts do not fit the schema');
    const { decision, diagnostics } = answer.response;
    // A policy that errors is skipped by the engine: a forbid would not forbid.
    if (diagnostics.errors.length > 0)
      return failed(
        'a policy failed',
        diagnostics.errors.map(({ policyId }) => policyId),
      );
    // The engine's order is random.
    return { outcome: decision === 'allow' ? 'permit' : 'deny', policies: [...diagnostics.reason].sort() };
  } catch {
    // The engine throws for calls it cannot read, and overflows its stack on deep policies.
    return failed('the policy engine failed');
  }
}

const failed = (problem: string, policies: string[] = []): Evaluation => ({
  outcome: 'failed',
  problem,
  policies: [...policies].sort(),
});
