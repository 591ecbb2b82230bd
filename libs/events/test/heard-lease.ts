/** One lease as the revoker hears of it, in each of its states, and the ends that it hears of. */
import type { EventOf } from '../src/outbound.js';
import type { DoomedLease, Hearing, KnownLease, RevokerLease, Tombstone } from '../src/revocation.js';

export const TASK = '0192aaaa-0000-7000-8000-000000000001';
export const PARENT = '0192aaaa-0000-7000-8000-000000000002';
export const LEASE = '0192bbbb-0000-7000-8000-000000000001';
export const NOW_MS = Date.parse('2026-11-24T19:00:00.000Z');
export const NOW = '2026-11-24T19:00:00.000Z';

export const lineage = [
  { taskId: TASK, generation: 2 },
  { taskId: PARENT, generation: 5 },
];
export const plan = {
  leaseId: LEASE,
  provider: 'postgres' as const,
  target: 'shop',
  principal: 'mfy_smp_1',
  rights: ['pol_crm_orders_read'],
  createBy: '2026-11-24T19:00:10.000Z',
  notAfter: '2026-11-24T19:02:00.000Z',
  hardEnd: '2026-11-24T19:30:00.000Z',
};
export const intended: EventOf<'lease.intended'> = {
  type: 'lease.intended',
  data: {
    ...plan,
    taskId: TASK,
    generation: 2,
    actor: '//mayfly/broker',
    at: NOW,
    callId: '0192cccc-0000-7000-8000-000000000001',
    agent: 'spiffe://corp.example/agent/executor',
    lineage,
  },
};
export const outcome = { leaseId: LEASE, taskId: TASK, generation: 2, at: NOW };
export const known: KnownLease = {
  leaseId: LEASE,
  taskId: TASK,
  generation: 2,
  agent: 'spiffe://corp.example/agent/executor',
  lineage,
  plan,
  issued: false,
  answered: false,
  state: 'known',
};
export const revocation = {
  cause: 'task_ended' as const,
  causedBy: 'ce-end',
  requestedAtMs: NOW_MS - 1_000,
  attempts: 0,
  sessionsEnded: 0,
};
export const due: DoomedLease = { ...known, state: 'due', revocation };
export const cut: DoomedLease = { ...due, state: 'cut' };
export const removed: DoomedLease = { ...due, state: 'removed' };

export const ended: Tombstone = {
  taskId: TASK,
  generationBelow: null,
  cause: 'task_ended',
  causedBy: 'ce-end',
};
export const parentEnded: Tombstone = {
  taskId: PARENT,
  generationBelow: null,
  cause: 'deadline',
  causedBy: 'ce-p',
};
export const hearing = (...tombstones: Tombstone[]): Hearing => ({
  tombstones,
  ceId: 'ce-now',
  nowMs: NOW_MS,
});
export const requested = (cause: string) => ({
  type: 'lease.revocation_requested',
  data: { leaseId: LEASE, cause, requestedAt: NOW },
});
export const nothing = (lease: RevokerLease) => ({ lease, events: [], actAtMs: null });
