/**
 * An operator's order at the revoker: cut one lease, what a task, an agent or a target has, or everything. And its opposite for
 * agents: let one have credentials again. Pure: who may say it, and of what.
 */
import { isPerson } from './approval.js';
import type { OperatorEntry } from './catalogue.js';
import type { OrderRefusalCode, OrderScope } from './order-events.js';
import { unreachable } from './unreachable.js';

export interface RevocationOrder {
  /** UUIDv7. The same order said again is the same order. */
  orderId: string;
  scope: OrderScope;
  /** Id of the lease, task, agent or target; null for everything. */
  subject: string | null;
  /** Who says so: authenticated. */
  by: string;
  reason: string;
}

/** Constant text. */
export interface OrderRefusal {
  code: OrderRefusalCode;
  reason: string;
}

type Operators = ReadonlyMap<string, Pick<OperatorEntry, 'roles'>>;

/** A service that holds the key of an operator is no person. */
export const roleRefusal = (by: string, operators: Operators): OrderRefusal | null =>
  isPerson(by) && operators.get(by)?.roles.includes('operator') === true
    ? null
    : {
        code: 'ERR_NOT_ENTITLED',
        reason: 'access is revoked, and agents reinstated, by people who are operators',
      };

/** Of a subject that the revoker has never heard of, and that its catalogue does not have. Everything is always known. */
export function unknownRefusal(scope: Exclude<OrderScope, 'all'>): OrderRefusal {
  switch (scope) {
    case 'lease':
      return { code: 'ERR_LEASE_UNKNOWN', reason: 'the revoker has heard of no such lease' };
    case 'task':
      return { code: 'ERR_TASK_UNKNOWN', reason: 'the revoker has heard of no such task' };
    case 'agent':
      return { code: 'ERR_AGENT_UNKNOWN', reason: 'no such agent is in the catalogue, or has a lease' };
    case 'target':
      return { code: 'ERR_TARGET_UNKNOWN', reason: 'no such target is in the catalogue, or has a lease' };
    default:
      return unreachable(scope);
  }
}

/** Whether two of one id are the same order. Why it is given may be said in other words. */
export const isSameOrder = (
  a: Pick<RevocationOrder, 'scope' | 'subject' | 'by'>,
  b: Pick<RevocationOrder, 'scope' | 'subject' | 'by'>,
): boolean => a.scope === b.scope && a.subject === b.subject && a.by === b.by;
