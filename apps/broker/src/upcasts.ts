/**
 * What may be in a task's stream, and how events of old versions are lifted to today's (`libs/store/src/upcast.ts`). A type is
 * for ever. Whoever adds a step here records a history first, with the release before it: `test/histories/README.md`.
 */
import type { ApprovalEvent } from '#events/approval.js';
import type { LeaseEvent } from '#events/lease.js';
import type { EventOf } from '#events/outbound.js';
import type { TaskEvent } from '#events/task.js';
import type { Upcasts } from '#store/upcast.js';

export type StreamEvent = TaskEvent | LeaseEvent | ApprovalEvent | EventOf<'lease.revocation_requested'>;

/** Total over the types: one that is missing here does not compile, and one that is not here is not read. */
export const brokerUpcasts: Upcasts<StreamEvent['type']> = {
  'task.accepted': [],
  'task.amended': [],
  'task.suspended': [],
  'task.resumed': [],
  'task.revoked': [],
  'task.ended': [],
  'task.end_heard_early': [],
  'task.usage_reported': [],
  'task.grant_unused': [],
  'call.decided': [],
  'drift.signalled': [],
  'approval.requested': [],
  'approval.granted': [],
  'approval.refused': [],
  'approval.expired': [],
  'approval.consumed': [],
  'approval.withdrawn': [],
  'break_glass.used': [],
  'lease.intended': [],
  'lease.issued': [],
  'lease.abandoned': [],
  'lease.renewed': [],
  'lease.renewal_refused': [],
  'lease.revocation_requested': [],
};

/** Not told to the bus: a revocation is told by the revoker, an early end or a report by its sender, drift by `drift.signalled`. */
export const OWN_AFFAIR: ReadonlySet<StreamEvent['type']> = new Set([
  'task.end_heard_early',
  'task.usage_reported',
  'task.grant_unused',
  'lease.revocation_requested',
]);
