/** Where operators' orders are heard, carried out, and looked at. It needs neither the broker nor, but for the last word on what is proven, the bus. */
import type { Bus, LogEnd } from '#bus/bus.js';
import type { OrderRefusal, RevocationOrder } from '#events/revocation-order.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { transact } from '#store/database.js';
import { ConcurrencyError } from '#store/events.js';
import { repeat } from '#store/repeat.js';
import type { RevokerParts } from '../revoker-parts.js';
import type { Flushed, Taker } from '../unit-of-work.js';
import { carryOutPage, proveOrder } from './carry-out.js';
import { listLeases, type LeasesWanted, type ShownLease } from './lease-list.js';
import { openOrders, readOrder } from './order-rows.js';
import { reportOf, type OrderReport } from './order-report.js';
import { reinstateAgent, type Reinstatement } from './reinstate-agent.js';
import { takeOrder, type Taken } from './take-order.js';

export interface OrderDeskParts {
  parts: RevokerParts;
  taker: () => Taker;
  /** After each commit. */
  after: (flushed: Flushed) => void;
}

export type OrderAnswer = { is: 'taken'; report: OrderReport } | { is: 'refused'; refusal: OrderRefusal };
export type ReinstateAnswer =
  | { is: 'taken'; agent: string; agentGeneration: number; changed: boolean }
  | { is: 'refused'; refusal: OrderRefusal };

const LOOK_EVERY_MS = 250;
const TRIES = 3;

export class OrderDesk {
  #loop: { stop: () => Promise<void> } | undefined;
  #stopped = false;
  #bus: Pick<Bus, 'ends'> | undefined;
  readonly #walking = new Set<Promise<void>>();

  constructor(private readonly given: OrderDeskParts) {}

  /** Takes up what an earlier life left, and what other processes leave. */
  start(): void {
    const { parts } = this.given;
    this.#loop = repeat(
      LOOK_EVERY_MS,
      () => this.#turn(),
      (err) => parts.log.error({ err }, 'carrying out orders failed'),
    );
  }

  /** From now on it is known what there is to be read. */
  reach(bus: Pick<Bus, 'ends'>): void {
    this.#bus = bus;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop?.stop();
    await Promise.all(this.#walking);
  }

  /** Resolves once it is durable; it is carried out without being waited for. Requires that whoever orders is authenticated. */
  async order(order: RevocationOrder): Promise<OrderAnswer> {
    const { parts, after } = this.given;
    const taken = await this.#take(order);
    after(taken.flushed);
    if (taken.is === 'refused') {
      parts.measures.orderRefusals.inc({ code: taken.refusal.code });
      return { is: 'refused', refusal: taken.refusal };
    }
    if (!taken.again) parts.measures.orders.inc({ scope: order.scope });
    this.#goOn(order.orderId);
    const report = await this.report(order.orderId);
    if (report === null) throw new Error('an order that was taken is not there');
    return { is: 'taken', report };
  }

  /** Null where there is no such order, or it was proven and forgotten long ago. */
  async report(orderId: string): Promise<OrderReport | null> {
    const { db } = this.given.parts;
    return await transact(db, async (tx) => {
      const order = await readOrder(tx, orderId);
      return order === null ? null : await reportOf(tx, order, Date.now());
    });
  }

  leases(wanted: LeasesWanted): Promise<ShownLease[]> {
    return listLeases(this.given.parts.db, wanted);
  }

  /** Requires that whoever says so is authenticated. */
  async reinstate(reinstatement: Reinstatement): Promise<ReinstateAnswer> {
    const { parts, after } = this.given;
    const said = await transact(parts.db, (tx) => reinstateAgent(tx, reinstatement, parts));
    after({ queued: said.queued, work: [] });
    if (said.is === 'refused') {
      parts.measures.orderRefusals.inc({ code: said.refusal.code });
      return { is: 'refused', refusal: said.refusal };
    }
    const { agentGeneration, changed } = said;
    return { is: 'taken', agent: reinstatement.agent, agentGeneration, changed };
  }

  async #take(order: RevocationOrder): Promise<Taken> {
    const { parts, taker } = this.given;
    for (let tries = 1; ; tries += 1) {
      try {
        return await transact(parts.db, (tx) => takeOrder(tx, order, parts, taker()));
      } catch (error) {
        // A lease came in between, or the same order: what is there now is looked at again.
        if (!(error instanceof ConcurrencyError) || tries === TRIES) throw error;
      }
    }
  }

  /** While the bus is away nothing can be said of what is on it. */
  async #ends(): Promise<readonly LogEnd[] | null> {
    return (await this.#bus?.ends([CREDENTIAL_EVENTS]).catch(() => null)) ?? null;
  }

  #goOn(orderId: string): void {
    const walking = this.#walk(orderId)
      .catch((err: unknown) => this.given.parts.log.error({ err, orderId }, 'carrying out an order failed'))
      .finally(() => this.#walking.delete(walking));
    this.#walking.add(walking);
  }

  async #walk(orderId: string): Promise<void> {
    const { parts, taker, after } = this.given;
    while (!this.#stopped) {
      const flushed = await carryOutPage(parts.db, orderId, taker);
      if (flushed === null) return;
      after(flushed);
    }
  }

  async #turn(): Promise<void> {
    const { parts, after } = this.given;
    for (const orderId of await openOrders(parts.db)) {
      try {
        await this.#walk(orderId);
        after({ queued: await proveOrder(parts.db, orderId, () => this.#ends()), work: [] });
      } catch (err) {
        // The others do not wait for one that fails.
        parts.log.error({ err, orderId }, 'carrying out an order failed');
      }
    }
  }
}
