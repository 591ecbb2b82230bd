/** What a sweep of a target makes of what it saw (protocol rule 9). Pure; times are epoch milliseconds. */
import type { ProviderKind } from './lease-plan.js';
import { iso, makeDue, type DoomedLease, type RevokerLease, type Step } from './revocation.js';

/** Stands for the task that nobody knows: its row lock serialises orphans, and their events carry it. */
export const NO_TASK = 'orphan';

/** A principal of ours that no lease explains. */
export interface Orphan {
  leaseId: string;
  provider: ProviderKind;
  target: string;
  principal: string;
}

/**
 * Whether an orphan is old enough to be cut: its name tells when its lease was meant. Nothing should be needed of this after reading; it is
 * there for what we do not know of. A name of the future is no reason to wait for it.
 */
export const isPastGrace = (leaseId: string, nowMs: number, graceMs: number): boolean =>
  Math.abs(nowMs - bornAtMs(leaseId)) >= graceMs;

/** RFC 9562 §5.7: the first 48 bits of a UUIDv7 are its time. */
const bornAtMs = (leaseId: string): number => Number.parseInt(leaseId.replaceAll('-', '').slice(0, 12), 16);

/** It is cut as a lease would be, with a plan that says as much as its name does. */
export function adoptOrphan(
  { leaseId, provider, target, principal }: Orphan,
  nowMs: number,
): Step<DoomedLease> {
  const at = iso(nowMs);
  const revocation = {
    cause: 'orphan' as const,
    causedBy: null,
    requestedAtMs: nowMs,
    attempts: 0,
    sessionsEnded: 0,
  };
  const plan = { leaseId, provider, target, principal, rights: [], createBy: at, notAfter: at, hardEnd: at };
  return {
    lease: {
      ...{ leaseId, taskId: NO_TASK, generation: 0, lineage: [], plan, issued: false, answered: false },
      ...{ state: 'due', revocation },
    },
    events: [
      { type: 'orphan.found', data: { leaseId, target, principal } },
      { type: 'lease.revocation_requested', data: { leaseId, cause: 'orphan', requestedAt: at } },
    ],
    actAtMs: nowMs,
  };
}

/** An issued lease whose access is not at the target any more. Somebody else took it away, or a life that is forgotten did. */
export function hearVanished(lease: RevokerLease, nowMs: number): Step {
  const step = makeDue(lease, { cause: 'vanished', causedBy: null }, nowMs);
  if (step.lease === lease) return step;
  return { ...step, events: [{ type: 'lease.vanished', data: { leaseId: lease.leaseId } }, ...step.events] };
}
