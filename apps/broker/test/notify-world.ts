/** Brokers that tell people outside of the bus, and a receiver that is told. */
import { createSecretKey } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { webhookKey } from '#config/notifications.js';
import { NOTIFIED_TYPES } from '#events/notified-types.js';
import { transact } from '#store/database.js';
import type { Receiver } from '../src/notifications/receivers.js';
import { suspendParked } from '../src/suspend-task.js';
import { UnitOfWork } from '../src/unit-of-work.js';
import { FakeReceiver, SECRET } from './fake-receiver.js';
import { World, type BrokerProcess } from './harness.js';

const key = createSecretKey(webhookKey(SECRET)!);
const WRITES = { tool: 'sql.query', dataset: 'crm.orders', actions: ['read', 'write'] };
/** Failures are over soon. */
export const SOON = { firstMs: 10, longestMs: 40, lookEveryMs: 50 };

export const idsOf = ({ got }: FakeReceiver) => got.map(({ headers }) => headers['webhook-id']);

export class NotifyWorld {
  #broker: BrokerProcess | undefined;

  private constructor(
    readonly world: World,
    readonly pager: FakeReceiver,
  ) {}

  static async open(): Promise<NotifyWorld> {
    return new NotifyWorld(await World.open(), await FakeReceiver.open());
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.pager.close();
  }

  webhook(change: Partial<Pick<Receiver, 'id' | 'url' | 'events' | 'tenants'>> = {}): Receiver {
    return {
      id: 'pager',
      kind: 'webhook',
      url: this.pager.url,
      events: [...NOTIFIED_TYPES],
      key,
      ...change,
    };
  }

  /** A broker that tells these, or one more. */
  async begin(...receivers: Receiver[]): Promise<BrokerProcess> {
    const broker = await this.open(...receivers);
    broker.broker.notifier.start();
    return broker;
  }

  /** One that does not come to send anything. */
  async open(...receivers: Receiver[]): Promise<BrokerProcess> {
    this.world.notify = { pace: SOON, ...this.world.notify, receivers };
    this.#broker = await this.world.start();
    return this.#broker;
  }

  /** Heard by the broker that was started last, as are calls. */
  async task(): Promise<string> {
    const taskId = uuidv7();
    await this.#broker?.hear(await this.world.voices.starts(taskId, { declared: [WRITES] }));
    await this.world.hears(taskId, 'task.accepted');
    return taskId;
  }

  /** A call for which people are asked. */
  async asked() {
    const taskId = await this.task();
    await this.#broker?.hear(await this.world.voices.calls(taskId, { action: 'write' }));
    const [requested] = await this.world.hears(taskId, 'approval.requested');
    return { taskId, requested: requested! };
  }

  suspend(taskId: string, andThen = () => Promise.resolve()): Promise<void> {
    return transact(this.world.schema.db, async (tx) => {
      const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
      suspendParked(work, taskId, undefined, work.nowMs);
      await work.flush('specs');
      await andThen();
    });
  }

  async waiting(receiver = 'pager'): Promise<number> {
    return (await this.world.query('SELECT FROM notification WHERE receiver = $1', [receiver])).length;
  }

  taken(receiver?: string): Promise<void> {
    return this.world.until(async () => (await this.waiting(receiver)) === 0, 'the receiver to take all');
  }
}
