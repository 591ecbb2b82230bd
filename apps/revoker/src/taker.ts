/** Who takes work that is to be done at once, for one transaction; and where in the line stands what nobody takes yet. */
import type { LeaseChange, Workload } from './lease-rows.js';

export interface Taker {
  instanceId: string;
  /** False leaves it to whoever looks first. */
  takes: (lease: Workload) => boolean;
  /** The place of a due lease among all that nobody began with, as epoch milliseconds: the least is next. */
  turnOf: (lease: Workload, nowMs: number) => number;
}

/** The change as it is written, and the lease where it is taken with it. */
export function placed(
  change: LeaseChange,
  tenant: string,
  taker: Taker,
  nowMs: number,
): { change: LeaseChange; taken?: Workload } {
  const lease = workloadOf(change, tenant, nowMs);
  if (lease === null) return { change };
  const turnAtMs = lease.state === 'due' ? taker.turnOf(lease, nowMs) : null;
  if (!taker.takes(lease)) return { change: { ...change, turnAtMs } };
  return { change: { ...change, takenBy: taker.instanceId }, taken: { ...lease, turnAtMs } };
}

/** What a worker could begin with now. */
function workloadOf({ lease, actAtMs }: LeaseChange, tenant: string, nowMs: number): Workload | null {
  if ((lease.state !== 'due' && lease.state !== 'cut') || lease.plan === null) return null;
  return actAtMs !== null && actAtMs <= nowMs ? { ...lease, plan: lease.plan, tenant, turnAtMs: null } : null;
}
