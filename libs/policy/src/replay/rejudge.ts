/**
 * Recorded calls, decided again by another policy set on the facts of their own moment. Pure but for the engine. What the walls
 * refused was never put to policy, and no policy would have moved it.
 */
import type { Check, EventOf } from '#events/outbound.js';
import type { CallDecision } from '../decide-call.js';
import { inputsDigest, type CallInputs } from '../decision-inputs.js';
import type { PolicySet } from '../policy-set.js';

/** A call as it was decided: `call.decided`, and the inputs that it names. */
export interface RecordedCall {
  decided: EventOf<'call.decided'>['data'];
  /** Null where they are not kept any more. */
  inputs: CallInputs | null;
}

/** What policy alone said. */
export interface Verdict {
  decision: CallDecision['decision'];
  code: string | null;
  /** Determining policies of both decisions, sorted. */
  policies: string[];
  reasons: string[];
}

export interface Flip {
  call: Pick<RecordedCall['decided'], 'taskId' | 'callId' | 'at' | 'agent' | 'tool' | 'dataset' | 'action'>;
  /** Of the set that it was decided by. */
  policySet: string;
  before: Verdict;
  after: Verdict;
}

export type Rejudged =
  /** `byEngine`: the engine itself said so. */
  | { is: 'same'; byEngine: boolean }
  | { is: 'flip'; flip: Flip }
  /** Refused by a wall. */
  | { is: 'not_policy' }
  /** Its inputs are gone. */
  | { is: 'inputs_gone' }
  /** Its inputs are not those that the decision names: somebody changed them. */
  | { is: 'inputs_altered'; call: Flip['call'] };

export type Judge = Pick<PolicySet, 'presumeCall' | 'replayCall'>;

/**
 * The compiled policies go first. The engine confirms each flip, and a sample of the rest, and decides alone what they leave to it.
 * @throws DisagreementError
 */
export function rejudge(policies: Judge, { decided, inputs }: RecordedCall): Rejudged {
  if (decided.inputs === undefined) return { is: 'not_policy' };
  if (inputs === null) return { is: 'inputs_gone' };
  const { taskId, callId, at, agent, tool, dataset, action } = decided;
  const call = { taskId, callId, at, agent, tool, action, ...(dataset === undefined ? {} : { dataset }) };
  if (inputsDigest(inputs) !== decided.inputs) return { is: 'inputs_altered', call };
  const before = recorded(decided);
  const presumed = policies.presumeCall(inputs, decided.inputs);
  if (presumed?.decision === before.decision && !isSampled(decided.inputs))
    return { is: 'same', byEngine: false };
  const judged = policies.replayCall(inputs, decided.inputs);
  if (presumed !== undefined && !isSame(presumed, judged)) throw new DisagreementError();
  return before.decision === judged.decision
    ? { is: 'same', byEngine: true }
    : { is: 'flip', flip: { call, policySet: decided.policySet, before, after: verdictOf(judged) } };
}

/** The compiled policies said otherwise than the engine: a bug of ours, and nothing that they said can be relied on. */
export class DisagreementError extends Error {
  override readonly name = 'DisagreementError';
  readonly code = 'ERR_REPLAY_DISAGREEMENT';
  constructor() {
    super('the compiled policies and the engine decide otherwise');
  }
}

/** One in 64, by the digest of the inputs: whoever runs it again looks at the same ones. */
const isSampled = (digest: string): boolean => parseInt(digest.slice(-2), 16) % 64 === 0;

const isSame = (presumed: CallDecision, judged: CallDecision): boolean =>
  JSON.stringify(verdictOf(presumed)) === JSON.stringify(verdictOf(judged));

/** Checks of the walls come first; a call that both policies permit may still have been refused, as one that cannot be enforced. */
function recorded({ decision, code, checks }: RecordedCall['decided']): Verdict {
  const asked = checks.filter(isPolicy);
  const permitted = asked.length > 0 && asked.every(({ ok }) => ok);
  return {
    decision: permitted ? 'permit' : decision,
    code: permitted ? null : (code ?? null),
    policies: policiesOf(asked),
    reasons: asked.filter(({ ok }) => permitted || !ok).flatMap(({ reason }) => reason ?? []),
  };
}

const verdictOf = ({ decision, code, checks, reasons }: CallDecision): Verdict => ({
  decision,
  code: code ?? null,
  policies: policiesOf(checks),
  reasons,
});

const POLICY_CHECKS = ['tool_policy', 'dataset_policy'];
const isPolicy = ({ check }: Check): boolean => POLICY_CHECKS.includes(check);
const policiesOf = (checks: readonly Check[]): string[] =>
  [...new Set(checks.flatMap(({ policies = [] }) => policies))].sort();
