/** Renewals as the broker stores them: an intention, the target, a second decision. At most one of a lease is under way. */
import { evolveLease } from '../../src/lease.js';
import { decideRenewal, type Renewal, type RenewalFacts } from '../../src/renew-lease.js';
import type { Sender } from '../../src/task.js';
import type { Books } from './books.js';

interface Extending {
  renewal: Renewal;
  by: Sender;
  notAfterMs: number;
  landed: boolean;
}

export class Renewals {
  granted = 0;
  readonly #extending = new Map<string, Extending>();

  constructor(private readonly world: Books) {}

  asks(renewal: Renewal, by: Sender): void {
    const decided = decideRenewal(renewal, by, this.#facts(renewal, null));
    if (decided.is !== 'granted' || this.#extending.has(renewal.leaseId)) return;
    const notAfterMs = Date.parse(decided.event.data.notAfter);
    this.#extending.set(renewal.leaseId, { renewal, by, notAfterMs, landed: false });
  }

  /** As at the target: what is there, not fenced and not over gets a later end. */
  lands(): boolean {
    const extending = [...this.#extending.values()].find(({ landed }) => !landed);
    if (extending === undefined) return false;
    extending.landed = true;
    const { principals, nowMs } = this.world;
    const { leaseId } = extending.renewal;
    const endMs = principals.get(leaseId) ?? 0;
    if (nowMs < endMs) principals.set(leaseId, Math.max(endMs, extending.notAfterMs));
    return true;
  }

  /** The second decision. Where the target did not do it, there is none to make. */
  settles(): boolean {
    const extending = [...this.#extending.values()].find(({ landed }) => landed);
    if (extending === undefined) return false;
    const { renewal, by, notAfterMs } = extending;
    const { leaseId } = renewal;
    this.#extending.delete(leaseId);
    if ((this.world.principals.get(leaseId) ?? 0) < notAfterMs) return true;
    const decided = decideRenewal(renewal, by, this.#facts(renewal, notAfterMs));
    const held = this.world.held.get(leaseId);
    if (decided.is !== 'granted' || held === undefined) return true;
    const { policy, nowMs, oracle } = this.world;
    oracle.renews(decided.event, held.call, by, policy, nowMs);
    held.lease = evolveLease(held.lease, decided.event);
    this.world.tell(decided.event);
    this.granted += 1;
    return true;
  }

  #facts({ taskId, leaseId }: Renewal, extendedToMs: number | null): RenewalFacts {
    const task = this.world.task(taskId);
    const held = this.world.held.get(leaseId);
    return {
      ...{ ...this.world.judged, task, ancestors: this.world.ancestorsOf(task), extendedToMs },
      sealKeyThumbprint: 'seal',
      renewable:
        held === undefined ? null : { lease: held.lease, intended: held.intended.data, call: held.call },
    };
  }
}
