/** A plan that a token can be made of. It comes off the bus or out of a database, so it is checked again here. */
import type { TokenPlan } from '#events/token-plan.js';
import { isLeaseId } from '../lease-id.js';
import { ProviderError, type Plan } from '../provider.js';
import type { JwtSettings } from './settings.js';

/** What is signed. */
export interface CheckedToken {
  leaseId: string;
  token: TokenPlan;
  notAfterMs: number;
}
export interface CheckedCreate extends CheckedToken {
  createByMs: number;
}
export interface CheckedRenewal extends CheckedToken {
  /** The present end: after it nothing is renewed. */
  renewByMs: number;
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const ACTION = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const MAX_ACTIONS = 16;

/** What a cut and a look need: of a lease that nobody planned there is only its name. @throws ProviderError ERR_PLAN_INVALID */
export function checkPlan(plan: Plan, settings: JwtSettings): void {
  if (plan.provider !== settings.provider || plan.target !== settings.id)
    throw invalid('plan is for another target');
  if (!isLeaseId(plan.leaseId)) throw invalid('lease id is not a lower-case UUIDv7');
  if (plan.principal !== plan.leaseId) throw invalid('principal is not the name of this lease');
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkCreate(plan: Plan, settings: JwtSettings): CheckedCreate {
  const token = checkToken(plan, settings);
  const createByMs = instant(plan.createBy, 'createBy');
  const notAfterMs = instant(plan.notAfter, 'notAfter');
  if (notAfterMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (notAfterMs > createByMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return { leaseId: plan.leaseId, token, createByMs, notAfterMs };
}

/** @throws ProviderError ERR_PLAN_INVALID */
export function checkRenewal(plan: Plan, notAfter: string, settings: JwtSettings): CheckedRenewal {
  const token = checkToken(plan, settings);
  const renewByMs = instant(plan.notAfter, 'notAfter');
  const notAfterMs = instant(notAfter, 'the new notAfter');
  if (notAfterMs > instant(plan.hardEnd, 'hardEnd')) throw invalid('notAfter is later than hardEnd');
  if (notAfterMs > renewByMs + settings.maxTtlMs) throw invalid('lease is longer than the target allows');
  return { leaseId: plan.leaseId, token, renewByMs, notAfterMs };
}

function checkToken(plan: Plan, settings: JwtSettings): TokenPlan {
  checkPlan(plan, settings);
  const { rights, token } = plan;
  if (token === undefined) throw invalid('plan says nothing of a token');
  if (token.audience !== settings.audience) throw invalid('token is for another service');
  if (rights.length === 0 || rights.length > MAX_ACTIONS) throw invalid('expected 1 to 16 actions');
  if (!rights.every((right) => ACTION.test(right))) throw invalid('a right is not the name of an action');
  if (JSON.stringify(token.actions) !== JSON.stringify(rights))
    throw invalid('token says other actions than the plan');
  return token;
}

export function instant(text: string, field: string): number {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`${field} is not an RFC 3339 time`);
  return ms;
}

const invalid = (message: string) => new ProviderError('ERR_PLAN_INVALID', message);
