/** Parts of a policy as Cedar writes them, on one line. */
import type { Clause, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { cedar } from '../cedar.js';

/** `when { context.task.risk == "low" }`; of one that cannot be written, its kind alone. */
export function conditionText(condition: Clause): string {
  const text = policyText({
    ...{ effect: 'permit', principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' } },
    conditions: [condition],
  });
  return text === undefined
    ? condition.kind
    : text.slice(text.indexOf(`${condition.kind} `)).replace(/;$/, '');
}

function policyText(policy: PolicyJson): string | undefined {
  const answer = cedar.policyToText(policy);
  return answer.type === 'success' ? answer.text.replace(/\s+/g, ' ').trim() : undefined;
}
