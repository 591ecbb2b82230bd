/** What policy says of a person as an approver. Only where it says anything: a set without a policy on `approve` leaves that to the catalogue. */
import { cedar } from './cedar.js';
import { entityRef, uid } from './cedar-request.js';
import { evaluate } from './evaluate.js';
import type { TaskContext } from './facts.js';
import type { ParsedPolicies } from './parse-policies.js';

export interface ApproveRequest {
  person: string;
  task: TaskContext;
  atMs: number;
}

/** Whatever goes wrong is no. */
export function mayApprove(policies: ParsedPolicies, { person, task, atMs }: ApproveRequest): boolean {
  if (!speaksOfApproval(policies)) return true;
  const { taskId, orchestrator, onBehalfOf } = task;
  const evaluation = evaluate(policies, {
    principal: uid('Human', person),
    action: APPROVE,
    resource: uid('Task', taskId),
    context: { at: { __extn: { fn: 'datetime', arg: new Date(atMs).toISOString() } } },
    entities: [
      {
        uid: uid('Task', taskId),
        attrs: { orchestrator, onBehalfOf: entityRef('Human', onBehalfOf) },
        parents: [],
      },
    ],
  });
  return evaluation.outcome === 'permit';
}

const APPROVE = uid('Action', 'approve');
const spoken = new WeakMap<ParsedPolicies, boolean>();

function speaksOfApproval(policies: ParsedPolicies): boolean {
  const known = spoken.get(policies);
  if (known !== undefined) return known;
  const speaks = Object.values(policies.texts).some((text) => {
    const answer = cedar.policyToJson(text);
    return answer.type === 'success' && namesApprove(answer.json.action);
  });
  spoken.set(policies, speaks);
  return speaks;
}

/** By name: a policy on any action whatever does not mean people. */
const namesApprove = (action: unknown): boolean => JSON.stringify(action).includes(JSON.stringify(APPROVE));
