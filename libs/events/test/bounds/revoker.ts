/** The revoker's half: it hears what the broker told, and knows of each lease whether it is to die. Written rows, and nothing else. */
import { afterCut } from '../../src/cut-proof.js';
import type { EventOf } from '../../src/outbound.js';
import {
  causeFor,
  coveredBy,
  hearAbandoned,
  hearGivenUp,
  hearIntended,
  hearIssued,
  hearRenewed,
  makeDue,
  type DoomedLease,
  type RevokerLease,
  type Step,
  type Tombstone,
} from '../../src/revocation.js';
import { cutCauseOf } from '../../src/suspend-task.js';
import { unreachable } from '../../src/unreachable.js';

/** What the broker tells, and the revoker listens to. */
export type Told = EventOf<
  | 'task.suspended'
  | 'task.amended'
  | 'task.ended'
  | 'lease.intended'
  | 'lease.issued'
  | 'lease.abandoned'
  | 'lease.renewed'
  | 'approval.withdrawn'
>;
const CE_ID = 'told';

export class Revoker {
  readonly leases = new Map<string, RevokerLease>();
  /** Leases that it goes for, in the order told to the broker. */
  readonly requests: string[] = [];
  readonly #tombstones: Tombstone[] = [];

  hears(event: Told, nowMs: number): void {
    const { taskId } = event.data;
    const hearing = { tombstones: this.#tombstones, ceId: CE_ID, nowMs };
    const entomb = (generationBelow: number | null, cause: Tombstone['cause']) =>
      this.#entomb({ taskId, generationBelow, cause, causedBy: CE_ID }, nowMs);
    switch (event.type) {
      case 'task.ended':
        return entomb(null, 'task_ended');
      case 'task.suspended':
        return entomb(event.data.generation, cutCauseOf(event.data.cause));
      case 'task.amended':
        return entomb(event.data.generation, event.data.cause);
      case 'lease.intended':
        return this.#take(hearIntended(this.#lease(event.data.leaseId), event, hearing));
      case 'lease.issued':
        return this.#take(hearIssued(this.#lease(event.data.leaseId), event.data, hearing));
      case 'lease.abandoned':
        return this.#take(hearAbandoned(this.#lease(event.data.leaseId), event.data, hearing));
      case 'lease.renewed':
        return this.#take(hearRenewed(this.#lease(event.data.leaseId), event.data, hearing));
      case 'approval.withdrawn': {
        const { leaseId, ...data } = event.data;
        if (leaseId === undefined) return;
        const outcome = { ...data, leaseId };
        return this.#take(hearGivenUp(this.#lease(leaseId), outcome, 'approval_withdrawn', hearing));
      }
      default:
        return unreachable(event);
    }
  }

  /** By its own clock, as far as it has heard. */
  expires(nowMs: number): void {
    for (const lease of this.leases.values())
      if (lease.state === 'known' && lease.plan !== null && Date.parse(lease.plan.notAfter) <= nowMs)
        this.#take(makeDue(lease, { cause: 'expired', causedBy: null }, nowMs));
  }

  /** @returns a lease whose access it has cut, and seen gone */
  cuts(nowMs: number): string | null {
    const due = [...this.leases.values()].find(
      (lease): lease is DoomedLease => lease.state === 'due' && lease.plan !== null,
    );
    if (due === undefined) return null;
    const nodes = { seen: 1, expected: 1 };
    const observation = { state: 'absent' as const, atMs: nowMs, incarnation: '1', nodes };
    const report = { observation, emptyObservations: 2, sessionsEnded: 0 };
    const attempt = { startedAtMs: nowMs, endedAtMs: nowMs, report };
    this.#take(afterCut(due, attempt, { fencing: 'fenced', maxClockSkewMs: 2_000 }));
    return due.leaseId;
  }

  /** Leases that nothing it has heard of ends yet. */
  alive(nowMs: number): string[] {
    return [...this.leases.values()]
      .filter(
        ({ state, issued, plan }) =>
          state === 'known' && issued && plan !== null && nowMs < Date.parse(plan.notAfter),
      )
      .map(({ leaseId }) => leaseId);
  }

  #lease(leaseId: string): RevokerLease | null {
    return this.leases.get(leaseId) ?? null;
  }

  #entomb(tombstone: Tombstone, nowMs: number): void {
    this.#tombstones.push(tombstone);
    for (const lease of this.leases.values()) {
      if (coveredBy(lease.lineage, [tombstone]) === null) continue;
      this.#take(makeDue(lease, { cause: causeFor(lease, tombstone), causedBy: CE_ID }, nowMs));
    }
  }

  #take({ lease, events }: Step): void {
    this.leases.set(lease.leaseId, lease);
    for (const event of events)
      if (event.type === 'lease.revocation_requested') this.requests.push(event.data.leaseId);
  }
}
