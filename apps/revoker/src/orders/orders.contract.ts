/** Orders for integration specs: what is lent that they are about, the words in which they are given, and what is told of them. */
import { v7 as uuidv7 } from 'uuid';
import type { EventOf } from '#events/outbound.js';
import type { RevocationOrder } from '#events/revocation-order.js';
import type { Plan } from '#providers/provider.js';
import { AGENT } from '../broker-voice.contract.js';
import type { World } from '../revoker-world.contract.js';
import type { Revoker } from '../revoker.js';
import { tokenPlan } from '../token-plan.contract.js';

export const NADIA = 'user:nadia@corp.example';

export const orderOf = (change: Partial<RevocationOrder>): RevocationOrder => ({
  ...{ orderId: uuidv7(), scope: 'all', subject: null, by: NADIA, reason: 'a laptop was stolen' },
  ...change,
});

type Change = Partial<EventOf<'lease.intended'>['data']>;

export class Orders {
  #idx = 0;

  constructor(
    private readonly world: World,
    /** The one that was started last. */
    private readonly revoker: () => Revoker,
  ) {}

  /** Forgets what was lent and ordered before. */
  async forget(): Promise<void> {
    await this.world.db.pool.query(
      'TRUNCATE lease, lease_lineage, task, tombstone, revocation_order, revocation_order_lease, revoked_agent CASCADE',
    );
  }

  async order(change: Partial<RevocationOrder>) {
    const answer = await this.revoker().orders.order(orderOf(change));
    if (answer.is === 'refused') throw new Error(answer.refusal.code);
    return answer.report;
  }

  async proven(orderId: string, withinMs?: number) {
    await this.world.until(
      async () => (await this.revoker().orders.report(orderId))?.state === 'proven',
      'the order to be proven',
      withinMs,
    );
    return await this.revoker().orders.report(orderId);
  }

  /** What is told of it, once it is. */
  async told(orderId: string) {
    const records = () => this.world.saidOf('revocation.ordered').filter((said) => said.orderId === orderId);
    await this.world.until(() => records().length > 0, 'the order to be told');
    return records();
  }

  /** A token that is lent. @param change of its intent */
  async lent(taskId: string, change: Change = {}): Promise<Plan> {
    const { world } = this;
    const plan = tokenPlan(taskId, (this.#idx += 1));
    const { agent = AGENT, agentGeneration, lineage = [{ taskId, generation: 1 }] } = change;
    const token = plan.token && { ...plan.token, agent, agentGeneration, lineage };
    const intended = world.intended(taskId, { ...plan, token });
    await world.say({ ...intended, data: { ...intended.data, ...change } });
    await world.say(world.issued(taskId, plan));
    return { ...plan, token };
  }

  /** A database user that is lent. */
  async userLent(taskId: string): Promise<Plan> {
    const { world } = this;
    const plan = world.target.plan();
    await world.say(world.intended(taskId, plan));
    await world.target.created(plan);
    await world.say(world.issued(taskId, plan));
    return plan;
  }
}
