/** What one entry changes in the projections. Pure; an event of whoever else than the service whose word it is says nothing. */
import { isOutboundType, type OutboundType } from '#events/outbound.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { unreachable } from '#events/unreachable.js';
import { ofApproval } from './of-approval.js';
import { ofDecision } from './of-decision.js';
import { ofLease } from './of-lease.js';
import { ofPolicy, ofStandingAccess, ofTask } from './of-others.js';
import type { Change } from './tables.js';
import { Told, type ToldEntry } from './told.js';

/** Entries with another topic change nothing: agents are told of some of the same things, under the same types. */
export const PROJECTED_TOPIC = CREDENTIAL_EVENTS;

/** @returns changes of rows; none for what no projection keeps */
export function project(entry: ToldEntry): readonly Change[] {
  const { topic, type, service } = entry.envelope;
  if (topic !== PROJECTED_TOPIC || typeof type !== 'string' || !isOutboundType(type)) return [];
  return PROJECTED.get(type) === service ? changesOf(type, new Told(entry)) : [];
}

function changesOf(type: OutboundType, told: Told): readonly Change[] {
  switch (type) {
    case 'task.accepted':
    case 'task.ended':
      return ofTask(type, told);
    case 'call.decided':
      return ofDecision(told);
    case 'approval.requested':
    case 'approval.granted':
    case 'approval.refused':
    case 'approval.expired':
    case 'approval.consumed':
    case 'approval.withdrawn':
    case 'break_glass.used':
      return ofApproval(type, told);
    case 'lease.intended':
    case 'lease.issued':
    case 'lease.renewed':
    case 'lease.abandoned':
    case 'lease.revocation_requested':
    case 'lease.revocation_unproven':
    case 'lease.access_cut':
    case 'lease.removed':
      return ofLease(type, told);
    case 'policy.activated':
      return ofPolicy(told);
    case 'standing_access.found':
    case 'standing_access.gone':
      return ofStandingAccess(type, told);
    case 'event.rejected':
    case 'task.refused':
    case 'task.amended':
    case 'task.amendment_refused':
    case 'task.suspended':
    case 'task.resumed':
    case 'task.revoked':
    case 'task.order_rejected':
    case 'drift.signalled':
    case 'approval.answer_rejected':
    case 'lease.renewal_refused':
    case 'lease.returned':
    case 'lease.vanished':
    case 'revocation.ordered':
    case 'revocation.proven':
    case 'revocation.order_rejected':
    case 'agent.revoked':
    case 'agent.reinstated':
    case 'dead_letter.parked':
    case 'dead_letter.released':
    case 'orphan.found':
    case 'orphan.cut':
    case 'target.restarted':
    case 'store.restored':
    case 'signing_key.rotated':
    case 'target_account.rotated':
    case 'catalogue.activated':
    case 'access.read':
      return [];
    default:
      return unreachable(type);
  }
}

/** By type, whose word it is. */
export const PROJECTED: ReadonlyMap<string, 'broker' | 'revoker'> = new Map<
  OutboundType,
  'broker' | 'revoker'
>([
  ['task.accepted', 'broker'],
  ['task.ended', 'broker'],
  ['call.decided', 'broker'],
  ['approval.requested', 'broker'],
  ['approval.granted', 'broker'],
  ['approval.refused', 'broker'],
  ['approval.expired', 'broker'],
  ['approval.consumed', 'broker'],
  ['approval.withdrawn', 'broker'],
  ['break_glass.used', 'broker'],
  ['lease.intended', 'broker'],
  ['lease.issued', 'broker'],
  ['lease.renewed', 'broker'],
  ['lease.abandoned', 'broker'],
  ['lease.revocation_requested', 'revoker'],
  ['lease.revocation_unproven', 'revoker'],
  ['lease.access_cut', 'revoker'],
  ['lease.removed', 'revoker'],
  ['policy.activated', 'broker'],
  ['standing_access.found', 'revoker'],
  ['standing_access.gone', 'revoker'],
]);
