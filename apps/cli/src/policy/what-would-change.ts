/** What would have to be otherwise for a call to be permitted: out of what was recorded, and no further. */
import type { ExplainedCheck, Explanation, NamedPolicy } from '#policy/explain/explain-call.js';

const POLICY_CHECKS = ['tool_policy', 'dataset_policy'];

/** One line for each thing. */
export function whatWouldChange(explanation: Explanation): string[] {
  const { decided, checks } = explanation;
  if (decided.decision === 'permit') return ['nothing: it was permitted'];
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0)
    return decided.code === 'ERR_POLICY_FAILED'
      ? ['every check held: policy asked for something that cannot be enforced, such as a row filter']
      : [`every check held, and it was refused all the same (${decided.code ?? 'no code'})`];
  return failed.flatMap((check) => ofCheck(check, explanation));
}

function ofCheck(check: ExplainedCheck, explanation: Explanation): string[] {
  const { decided } = explanation;
  if (!POLICY_CHECKS.includes(check.check))
    return [`${check.check}: ${check.reason ?? 'does not hold'}. It is a wall: no policy moves it`];
  if (decided.code === 'ERR_POLICY_FAILED')
    return [`${check.check}: ${check.reason ?? 'a policy failed'}. What fails is denied: mend the policy`];
  if (check.policies.length > 0) return check.policies.map((policy) => ofForbid(policy, check, explanation));
  return ofNoPermit(check, explanation);
}

/** A forbid wins over every permit, whatever else is changed. */
function ofForbid(
  policy: NamedPolicy,
  { check }: ExplainedCheck,
  { decided, policySet }: Explanation,
): string {
  const where = placeOf(policy);
  if (decided.decision === 'approval_required')
    return `${check}: ${decided.obligations.approval ?? 'an'} approval lifts ${policy.id}${where}`;
  const liftable = policySet.isSame === true && policy.today?.approval != null;
  return liftable
    ? `${check}: ${policy.id}${where} must not forbid: an approval would lift it, if nothing else stood against the call`
    : `${check}: ${policy.id}${where} must not forbid; no permit is stronger`;
}

function ofNoPermit({ check }: ExplainedCheck, { near, inputs, policySet }: Explanation): string[] {
  const found = near.find((each) => each.check === check);
  if (found === undefined)
    return [
      `${check}: no policy permitted it; which ones come near cannot be told, for ${
        policySet.today === null ? 'the policies of today cannot be read' : WHY_NO_INPUTS[inputs.state]
      }`,
    ];
  if (found.permits === null)
    return [
      `${check}: no policy permitted it; the facts do not fit the schema of today, so which ones come near cannot be told`,
    ];
  if (found.permits.length === 0)
    return [`${check}: no policy of today permits this action on this resource to anybody: it needs one`];
  return found.permits.map(({ id, place, isForOthers, failing }) => {
    const why = [
      ...(isForOthers ? ['is for other agents'] : []),
      ...failing.map((text) => `does not hold: ${text}`),
    ];
    const so = why.length === 0 ? 'permits it by now' : why.join('; ');
    return `${check}: ${id} (${place.file}:${place.line}) ${so}`;
  });
}

const WHY_NO_INPUTS: Record<Explanation['inputs']['state'], string> = {
  kept: 'it was asked about something else',
  gone: 'the facts are not kept any more',
  none: 'no facts were recorded',
  altered: 'the kept facts are not those that were decided on',
};

const placeOf = ({ today }: NamedPolicy): string =>
  today === null ? '' : ` (${today.place.file}:${today.place.line})`;
