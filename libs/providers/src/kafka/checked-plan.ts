/** A plan that is safe to hand to Kafka. It comes off the bus or out of a database, so it is checked again here. */
import { isLeaseId } from '../lease-id.js';
import { principalOf } from '../principal-name.js';
import { ProviderError, type Plan } from '../provider.js';
import { bindingOf, type Binding } from './rights.js';
import type { KafkaSettings } from './settings.js';

export interface CheckedPlan {
  leaseId: string;
  principal: string;
}
export interface CheckedCreate extends CheckedPlan {
  bindings: Binding[];
  createByMs: number;
}
export interface CheckedRenewal extends CheckedPlan {
  /** The present end: after it nothing is renewed. */
  renewByMs: number;
}

const MAX_RIGHTS = 16;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** What a cut, a look and a clean need. Times and rights of the plan do not matter to them. @throws ProviderError ERR_PLAN_INVALID */
export function checkPlan(plan: Plan, settings: KafkaSettings): CheckedPlan {
  if (plan.provider !== settings.provider || plan.target !== settings.id)
    throw invalid('plan is for another target');
  if (!isLeaseId(plan.leaseId)) throw invalid('lease id is not a lower-case UUIDv7');
  const principal = principalOf(settings.namespace, plan.leaseId);
  if (plan.principal !== principal) throw invalid('principal is not the name of this lease');
  return { leaseId: plan.leaseId, principal };
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkCreate(plan: Plan, settings: KafkaSettings): CheckedCreate {
  const checked = checkPlan(plan, settings);
  const { rights } = plan;
  if (rights.length === 0 || rights.length > MAX_RIGHTS) throw invalid('expected 1 to 16 rights');
  if (new Set(rights).size !== rights.length) throw invalid('a right is named twice');
  const bindings = rights.map((right) => {
    const binding = bindingOf(right, checked.principal);
    if (binding === null) throw invalid('a right cannot be expressed at Kafka');
    return binding;
  });
  const createByMs = instant(plan.createBy, 'createBy');
  const notAfterMs = instant(plan.notAfter, 'notAfter');
  if (notAfterMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (notAfterMs > createByMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return { ...checked, bindings, createByMs };
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkRenewal(plan: Plan, notAfter: string, settings: KafkaSettings): CheckedRenewal {
  const checked = checkPlan(plan, settings);
  const renewByMs = instant(plan.notAfter, 'notAfter');
  const endMs = instant(notAfter, 'the new notAfter');
  if (endMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (endMs > renewByMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return { ...checked, renewByMs };
}

function instant(text: string, field: string): number {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`${field} is not an RFC 3339 time`);
  return ms;
}

const invalid = (message: string) => new ProviderError('ERR_PLAN_INVALID', message);
