/**
 * Why a recorded call was decided as it was, and what would have to be otherwise: out of what was recorded, and of the policies as
 * they stand today where these can be read. What is not known is null, never guessed. Pure but for the engine.
 */
import type { Check, EventOf } from '#events/outbound.js';
import type { CedarRequest } from '../cedar-request.js';
import { type CallDecision, judgeCall } from '../decide-call.js';
import { type CallInputs, inputsDigest } from '../decision-inputs.js';
import type { ParsedPolicies, Place } from '../parse-policies.js';
import type { RecordedCall } from '../replay/rejudge.js';
import { type NearPermit, nearPermits } from './near-permits.js';

/** A policy that was determining, and what stands under its id today. */
export interface NamedPolicy {
  id: string;
  /** Null: there is none of this id today, or today's policies could not be read. */
  today: {
    effect: 'permit' | 'forbid';
    reason: string;
    ttlMs: number | null;
    approval: string | null;
    place: Place;
  } | null;
}

export interface ExplainedCheck extends Omit<Check, 'policies'> {
  policies: NamedPolicy[];
}

/** GONE: they are kept no more · NONE: policy was never asked · ALTERED: they are not those that were decided on. */
export type InputsState = 'kept' | 'gone' | 'none' | 'altered';

export interface Explanation {
  decided: EventOf<'call.decided'>['data'];
  checks: ExplainedCheck[];
  inputs: { state: InputsState; kept: CallInputs | null };
  /** The set that decided, and today's; null where that could not be read. */
  policySet: { then: string; today: string | null; isSame: boolean | null };
  /** The determining permits whose `@ttl` is the one obliged to; null where that cannot be told. */
  ttlBy: string[] | null;
  /** The forbids that asked for people; null where that cannot be told. */
  approvalBy: string[] | null;
  /** Today's policies on the same facts; null without either. */
  today: Pick<CallDecision, 'decision' | 'code' | 'reasons' | 'checks'> | null;
  /**
   * Of each question that no policy permitted: today's permits that are about it and do not hold; null where the engine could not be
   * asked.
   */
  near: { check: string; permits: NearPermit[] | null }[];
}

export function explainCall({ decided, inputs }: RecordedCall, policies: ParsedPolicies | null): Explanation {
  const state = stateOf(decided.inputs, inputs);
  const kept = state === 'kept' ? inputs : null;
  const isSame = policies === null ? null : policies.digest === decided.policySet;
  const named = (id: string): NamedPolicy => ({ id, today: policies === null ? null : ruleOf(policies, id) });
  const checks = decided.checks.map(({ policies: ids = [], ...check }) => ({
    ...check,
    policies: ids.map(named),
  }));
  return {
    decided,
    checks,
    inputs: { state, kept },
    policySet: { then: decided.policySet, today: policies?.digest ?? null, isSame },
    ttlBy: isSame === true ? ttlBy(checks, decided.obligations.ttlMs) : null,
    approvalBy: isSame === true ? approvalBy(checks, decided.obligations.approval) : null,
    today: policies === null || kept === null ? null : judgeCall(policies, kept),
    near: policies === null || kept === null ? [] : nearOf(policies, decided.checks, kept),
  };
}

function stateOf(digest: string | undefined, inputs: CallInputs | null): InputsState {
  if (digest === undefined) return 'none';
  if (inputs === null) return 'gone';
  return inputsDigest(inputs) === digest ? 'kept' : 'altered';
}

function ruleOf(policies: ParsedPolicies, id: string): NamedPolicy['today'] {
  const rule = policies.rules.get(id);
  const place = policies.places.get(id);
  if (rule === undefined || place === undefined) return null;
  const { effect, reason, ttlMs, approval } = rule;
  return { effect, reason, ttlMs, approval, place };
}

/** Requires the policies that decided: another text of the same id may have another `@ttl`. */
const ttlBy = (checks: readonly ExplainedCheck[], ttlMs: number | null): string[] =>
  idsWhere(checks, (today) => ttlMs !== null && today.effect === 'permit' && today.ttlMs === ttlMs);

const approvalBy = (checks: readonly ExplainedCheck[], approval: string | null): string[] =>
  idsWhere(checks, (today) => approval !== null && today.approval !== null);

function idsWhere(
  checks: readonly ExplainedCheck[],
  holds: (today: NonNullable<NamedPolicy['today']>) => boolean,
): string[] {
  const ids = checks.flatMap(({ policies }) =>
    policies.flatMap(({ id, today }) => (today !== null && holds(today) ? [id] : [])),
  );
  return [...new Set(ids)];
}

/** Where a policy forbade, no permit would have helped. */
function nearOf(policies: ParsedPolicies, checks: readonly Check[], inputs: CallInputs): Explanation['near'] {
  return checks
    .filter(({ ok, policies: ids = [], check }) => !ok && ids.length === 0 && QUESTIONS[check] !== undefined)
    .flatMap(({ check }) => {
      const request = QUESTIONS[check]?.(inputs) ?? null;
      return request === null ? [] : [{ check, permits: nearPermits(policies, request) }];
    });
}

const QUESTIONS: Partial<Record<string, (inputs: CallInputs) => CedarRequest | null>> = {
  tool_policy: ({ tool }) => tool,
  dataset_policy: ({ dataset }) => dataset,
};
