/** What a start and an amendment have in common: policy is asked about the declaration, and a no is told with all it took. */
import type { Catalogue } from './catalogue.js';
import type { OutboundData } from './outbound.js';
import type { Refusal } from './refusal.js';
import { factsOf, type Declaration } from './declaration.js';
import type { Decided } from './task.js';
import type { Judge, TaskVerdict } from './verdict.js';

type RefusedType = 'task.refused' | 'task.amendment_refused';
type Common = Pick<
  OutboundData<'task.refused'>,
  'taskId' | 'generation' | 'tenant' | 'causedBy' | 'actor' | 'at'
>;
type Refused = Extract<Decided, { is: 'refused' }>;

export type Authorized = { ok: true; verdict: TaskVerdict } | { ok: false; refused: Refused };

/** A no. @param verdict where policy was asked */
export function refusedTask(
  type: RefusedType,
  common: Common,
  { code, reason, problems }: Refusal,
  policySet: string,
  verdict?: TaskVerdict,
): Refused {
  const data = {
    ...common,
    code,
    reason,
    ...(problems === undefined ? {} : { problems: problems.map((each) => ({ ...each })) }),
    policySet,
    ...(verdict === undefined ? {} : { policies: verdict.policies, inputs: verdict.inputsDigest }),
  };
  return {
    is: 'refused',
    event: { type, data },
    ...(verdict === undefined ? {} : { inputs: { digest: verdict.inputsDigest, inputs: verdict.inputs } }),
  };
}

/** Policy's word on a declaration that nothing else is said against. */
export function authorize(
  type: RefusedType,
  common: Common,
  declaration: Declaration,
  { catalogue, judge }: { catalogue: Catalogue; judge: Judge },
): Authorized {
  const verdict = judge.decideTask({
    catalogue,
    orchestrator: declaration.bounds,
    agents: [...declaration.agents],
    declared: declaration.declared,
    task: factsOf(common.taskId, declaration),
  });
  if (verdict.decision === 'permit') return { ok: true, verdict };
  const { code = 'ERR_TASK_FORBIDDEN', reason = 'policy forbids this task' } = verdict;
  return { ok: false, refused: refusedTask(type, common, { code, reason }, judge.digest, verdict) };
}

/** The declaration as it is told: what leases are made under from now on. */
export const toldOf = (declaration: Declaration, policySet: string, verdict: TaskVerdict) => ({
  orchestrator: declaration.orchestrator,
  agents: [...declaration.agents],
  declared: declaration.declared,
  risk: declaration.risk,
  policySet,
  bounds: declaration.bounds,
  agentsMayEnd: declaration.agentsMayEnd,
  delegable: declaration.delegable,
  limits: declaration.limits,
  policies: verdict.policies,
  inputs: verdict.inputsDigest,
});
