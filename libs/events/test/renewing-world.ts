/**
 * The small world with time in it: leases end, agents ask for more, the target moves ends, and answers of that are lost. Renewals are
 * stored as the broker stores them: an intention, the target, a second decision.
 */
import type { Catalogue } from '../src/catalogue.js';
import type { EventOf } from '../src/outbound.js';
import { decideRenewal, type RenewalFacts } from '../src/renew-lease.js';
import { hearRenewed, makeDue, type RevokerLease } from '../src/revocation.js';
import { evolveLease } from '../src/lease.js';
import { ANALYST, call, catalogue, judge, NOW, sender, TASK } from './fixture.js';
import { World } from './world.js';

export const POLICY_TTL_MS = 300_000;
const RIGHTS = ['pol_orders_read'];

interface Extending {
  leaseId: string;
  ttlMs: number | undefined;
  notAfterMs: number;
  landed: boolean;
}

export class RenewingWorld extends World {
  nowMs = NOW;
  /** What today's catalogue lends for the call. */
  lends = RIGHTS;
  /** At the target: VALID UNTIL of each principal. */
  readonly ends = new Map<string, number>();
  readonly renewed: EventOf<'lease.renewed'>[] = [];
  readonly #extending = new Map<string, Extending>();
  #heardRenewals = 0;

  /** A create gives the end that was planned. */
  noteCreated(): void {
    for (const leaseId of this.principals)
      if (!this.ends.has(leaseId)) this.ends.set(leaseId, this.leases.get(leaseId)?.notAfterMs ?? 0);
  }

  timePasses(ms: number): boolean {
    this.nowMs += ms;
    return true;
  }

  catalogueChanges(): boolean {
    this.lends = this.lends === RIGHTS ? [...RIGHTS, 'pol_salaries_read'] : RIGHTS;
    return true;
  }

  #facts(leaseId: string, extendedToMs: number | null): RenewalFacts {
    const lease = this.leases.get(leaseId);
    const orders = catalogue.datasets.get('crm.orders')!;
    const actions = new Map([['read', { rights: this.lends, cedar: 'readDataset' as const }]]);
    const today: Catalogue = {
      ...catalogue,
      datasets: new Map([['crm.orders', { ...orders, actions }]]),
    };
    return {
      ...{ task: this.task, ancestors: [], catalogue: today, judge: judge(), sealKeyThumbprint: 'seal' },
      ...{ nowMs: this.nowMs, extendedToMs },
      renewable:
        lease === undefined
          ? null
          : { lease, intended: { target: 'shop', rights: RIGHTS }, call: call({ callId: lease.callId }) },
    };
  }

  /** The agent asks for one of its leases, whatever has become of it. */
  agentRenews(which: number, ttlMs?: number): boolean {
    const ids = [...this.leases.keys()];
    const leaseId = ids[which % Math.max(1, ids.length)];
    if (leaseId === undefined || this.#extending.has(leaseId)) return false;
    const decided = decideRenewal(
      { taskId: TASK, leaseId, ttlMs },
      sender(ANALYST),
      this.#facts(leaseId, null),
    );
    if (decided.is !== 'granted') return true;
    const notAfterMs = Date.parse(decided.event.data.notAfter);
    this.#extending.set(leaseId, { leaseId, ttlMs, notAfterMs, landed: false });
    return true;
  }

  /** As at the target: what is there, not fenced and not over gets a later end. It may land again after the broker was killed. */
  extensionLands(): boolean {
    const extending = [...this.#extending.values()].find(({ landed }) => !landed);
    if (extending === undefined) return false;
    const { leaseId, notAfterMs } = extending;
    const presentMs = this.leases.get(leaseId)?.notAfterMs ?? 0;
    const isThere = this.principals.has(leaseId) && !this.fences.has(leaseId);
    if (isThere && this.nowMs < presentMs)
      this.ends.set(leaseId, Math.max(this.ends.get(leaseId) ?? 0, notAfterMs));
    extending.landed = true;
    return true;
  }

  /** The second decision. Where the target did not do it, there is none to make. */
  brokerSettlesRenewal(): boolean {
    const extending = [...this.#extending.values()].find(({ landed }) => landed);
    if (extending === undefined) return false;
    const { leaseId, ttlMs, notAfterMs } = extending;
    this.#extending.delete(leaseId);
    if ((this.ends.get(leaseId) ?? 0) < notAfterMs) return true;
    const facts = this.#facts(leaseId, notAfterMs);
    const decided = decideRenewal({ taskId: TASK, leaseId, ttlMs }, sender(ANALYST), facts);
    const lease = this.leases.get(leaseId);
    if (decided.is !== 'granted' || lease === undefined) return true;
    this.leases.set(leaseId, evolveLease(lease, decided.event));
    this.renewed.push(decided.event);
    return true;
  }

  /** By its own clock, as far as it has heard. */
  revokerExpires(): boolean {
    let any = false;
    for (const lease of this.revoked.values()) {
      if (lease.state !== 'known' || lease.plan === null) continue;
      if (Date.parse(lease.plan.notAfter) > this.nowMs) continue;
      this.takeStep(makeDue(lease, { cause: 'expired', causedBy: null }, this.nowMs));
      any = true;
    }
    return any;
  }

  /** In whatever order: also before it has heard of the lease at all. */
  revokerHearsRenewal(): boolean {
    const event = this.renewed[this.#heardRenewals];
    if (event === undefined) return false;
    this.#heardRenewals += 1;
    const lease: RevokerLease | null = this.revoked.get(event.data.leaseId) ?? null;
    const hearing = { tombstones: [], ceId: 'told', nowMs: this.nowMs };
    this.takeStep(hearRenewed(lease, event.data, hearing));
    return true;
  }

  /** Who could log in at this moment. */
  get usable(): string[] {
    return [...this.principals].filter((leaseId) => (this.ends.get(leaseId) ?? 0) > this.nowMs);
  }
}
