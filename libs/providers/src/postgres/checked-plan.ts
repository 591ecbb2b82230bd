/**
 * A plan that is safe to put into SQL. A plan comes off the bus or out of a database, so it is checked again here: every
 * value that is interpolated later has passed one of these patterns.
 */
import { isLeaseId } from '../lease-id.js';
import { ProviderError, type Plan } from '../provider.js';
import type { PostgresSettings } from './settings.js';
import { principalOf } from '../principal-name.js';

export interface CheckedPlan {
  leaseId: string;
  principal: string;
  /** The fence row must outlive every possible renewal: the hard end and a day. */
  keepFenceUntil: string;
}
export interface CheckedCreate extends CheckedPlan {
  /** Sorted, so that two creates never lock the same policy roles in opposite order. */
  rights: string[];
  createByMs: number;
  createBy: string;
  validUntil: string;
}

const RIGHT = /^[a-z_][a-z0-9_]{0,62}$/;
/** The server's own roles and ours are never lent. */
const NEVER_LENT = /^(pg_|mayfly_)/;
const MAX_RIGHTS = 16;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const KEEP_FENCE_MS = 24 * 3_600_000;
/** VALID UNTIL is the dead-man's switch behind the revoker, so it comes a little later than the lease's end. */
const VALID_UNTIL_LAG_MS = 5_000;

/** What a cut, a look and a clean need. Times and rights of the plan do not matter to them. @throws ProviderError ERR_PLAN_INVALID */
export function checkPlan(plan: Plan, settings: PostgresSettings): CheckedPlan {
  if (plan.provider !== settings.provider || plan.target !== settings.id)
    throw invalid('plan is for another target');
  if (!isLeaseId(plan.leaseId)) throw invalid('lease id is not a lower-case UUIDv7');
  const principal = principalOf(settings.namespace, plan.leaseId);
  if (plan.principal !== principal) throw invalid('principal is not the name of this lease');
  return {
    leaseId: plan.leaseId,
    principal,
    keepFenceUntil: new Date(instant(plan.hardEnd, 'hardEnd') + KEEP_FENCE_MS).toISOString(),
  };
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkCreate(plan: Plan, settings: PostgresSettings): CheckedCreate {
  const checked = checkPlan(plan, settings);
  const { rights } = plan;
  if (rights.length === 0 || rights.length > MAX_RIGHTS) throw invalid('expected 1 to 16 rights');
  if (new Set(rights).size !== rights.length) throw invalid('a right is named twice');
  for (const right of rights) {
    if (!RIGHT.test(right) || NEVER_LENT.test(right))
      throw invalid('a right is not the name of a policy role');
  }
  const createByMs = instant(plan.createBy, 'createBy');
  const notAfterMs = instant(plan.notAfter, 'notAfter');
  if (notAfterMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (notAfterMs > createByMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return {
    ...checked,
    rights: rights.toSorted(),
    createByMs,
    createBy: new Date(createByMs).toISOString(),
    validUntil: new Date(notAfterMs + VALID_UNTIL_LAG_MS).toISOString(),
  };
}

export interface CheckedRenewal extends CheckedPlan {
  /** The present end: after it nothing is renewed. */
  renewBy: string;
  validUntil: string;
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkRenewal(plan: Plan, notAfter: string, settings: PostgresSettings): CheckedRenewal {
  const checked = checkPlan(plan, settings);
  const [presentMs, endMs] = [instant(plan.notAfter, 'notAfter'), instant(notAfter, 'the new notAfter')];
  if (endMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (endMs > presentMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return {
    ...checked,
    renewBy: new Date(presentMs).toISOString(),
    validUntil: new Date(endMs + VALID_UNTIL_LAG_MS).toISOString(),
  };
}

function instant(text: string, field: string): number {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`${field} is not an RFC 3339 time`);
  return ms;
}

const invalid = (message: string) => new ProviderError('ERR_PLAN_INVALID', message);
