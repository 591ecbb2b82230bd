/** Access: a row for each lease, from the decision for it to its removal. */
import { unreachable } from '#events/unreachable.js';
import type { Change } from './tables.js';
import type { Told } from './told.js';

export type LeaseEventType =
  | 'lease.intended'
  | 'lease.issued'
  | 'lease.renewed'
  | 'lease.abandoned'
  | 'lease.revocation_requested'
  | 'lease.revocation_unproven'
  | 'lease.access_cut'
  | 'lease.removed';

export function ofLease(type: LeaseEventType, told: Told): readonly Change[] {
  const leaseId = told.text('leaseId');
  if (leaseId === undefined) return [];
  const its = {
    lease_id: leaseId,
    ...{ task_id: told.text('taskId'), tenant: told.text('tenant'), seq_changed: told.seq },
  };
  return [{ table: 'access_grant', facts: { ...its, ...factsOf(type, told) } }];
}

function factsOf(type: LeaseEventType, told: Told) {
  const atMs = told.atMs('at');
  switch (type) {
    case 'lease.intended':
      return {
        ...{ agent: told.text('agent'), call_id: told.text('callId'), provider: told.text('provider') },
        ...{ target: told.text('target'), account: told.text('principal'), rights: told.list('rights') },
      };
    case 'lease.issued': {
      const expiresAtMs = told.atMs('notAfter');
      // Nobody can say from when to when.
      if (atMs === undefined || expiresAtMs === undefined) return {};
      return {
        ...{ agent: told.text('agent'), call_id: told.text('callId') },
        ...{ granted_at_ms: atMs, seq_granted: told.seq, expires_at_ms: expiresAtMs },
      };
    }
    case 'lease.renewed':
      return { expires_at_ms: told.atMs('notAfter'), renewals: told.whole('renewals') };
    case 'lease.abandoned':
      return { abandoned_at_ms: atMs };
    case 'lease.revocation_requested':
      return { cut_requested_at_ms: told.atMs('requestedAt') };
    case 'lease.revocation_unproven':
      return { attempts: told.whole('attempts') };
    case 'lease.access_cut':
      return {
        ...{ cut_at_ms: told.atMs('cutAt'), cause: told.text('cause') ?? null },
        ...{ exposure_ms: told.whole('exposureMs') ?? null, seq_cut: told.seq },
      };
    case 'lease.removed':
      return { removed_at_ms: atMs };
    default:
      return unreachable(type);
  }
}
