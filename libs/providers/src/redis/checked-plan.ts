/** A plan that is safe to send. It comes off the bus or out of a database, so it is checked again here. */
import { isLeaseId } from '../lease-id.js';
import { principalOf } from '../principal-name.js';
import { ProviderError, type Plan } from '../provider.js';
import { problemOf, selectorOf } from './right.js';
import type { RedisSettings } from './settings.js';

export interface CheckedPlan {
  leaseId: string;
  principal: string;
}
export interface CheckedCreate extends CheckedPlan {
  /** One for each right. */
  selectors: string[];
  createByMs: number;
}
export interface CheckedRenewal extends CheckedPlan {
  /** The present end: after it nothing is renewed. */
  renewByMs: number;
}

/**
 * A create is sent within this time of its lease's birth, or not at all: so whoever cleans up knows by the name alone when no more can
 * come. The protocol asks for ten seconds.
 */
export const CREATED_WITHIN_MS = 60_000;
const MOST_RIGHTS = 16;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** What a cut, a look and a clean need. Times and rights of the plan do not matter to them. @throws ProviderError ERR_PLAN_INVALID */
export function checkPlan(plan: Plan, settings: RedisSettings): CheckedPlan {
  if (plan.provider !== settings.provider || plan.target !== settings.id)
    throw invalid('plan is for another target');
  if (!isLeaseId(plan.leaseId)) throw invalid('lease id is not a lower-case UUIDv7');
  const principal = principalOf(settings.namespace, plan.leaseId);
  if (plan.principal !== principal) throw invalid('principal is not the name of this lease');
  return { leaseId: plan.leaseId, principal };
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkCreate(plan: Plan, settings: RedisSettings): CheckedCreate {
  const checked = checkPlan(plan, settings);
  const { rights } = plan;
  if (rights.length === 0 || rights.length > MOST_RIGHTS) throw invalid('expected 1 to 16 rights');
  if (new Set(rights).size !== rights.length) throw invalid('a right is named twice');
  for (const right of rights) {
    const problem = problemOf(right);
    if (problem !== null) throw invalid(`a right ${problem}`);
  }
  const createByMs = instant(plan.createBy, 'createBy');
  const notAfterMs = instant(plan.notAfter, 'notAfter');
  if (createByMs > bornAtMs(plan.leaseId) + CREATED_WITHIN_MS)
    throw invalid('createBy is more than a minute after the birth of the lease');
  if (notAfterMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (notAfterMs > createByMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return { ...checked, selectors: rights.map(selectorOf), createByMs };
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkRenewal(plan: Plan, notAfter: string, settings: RedisSettings): CheckedRenewal {
  const checked = checkPlan(plan, settings);
  const [presentMs, endMs] = [instant(plan.notAfter, 'notAfter'), instant(notAfter, 'the new notAfter')];
  if (endMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (endMs > presentMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return { ...checked, renewByMs: presentMs };
}

/** A UUIDv7 begins with the millisecond of its making. Requires a lease id. */
export const bornAtMs = (leaseId: string): number =>
  Number.parseInt(leaseId.replaceAll('-', '').slice(0, 12), 16);

function instant(text: string, field: string): number {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`${field} is not an RFC 3339 time`);
  return ms;
}

const invalid = (message: string) => new ProviderError('ERR_PLAN_INVALID', message);
