/**
 * A bus in memory, for specs that need no Kafka: ordered per partition, replayable, at least once, with the append time of
 * its own clock. It can be cut off: then publishing fails as it does when no broker answers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BusError,
  type Bus,
  type BusRecord,
  type Consumer,
  type LogEnd,
  type OutgoingRecord,
  type Subscription,
} from '#bus/bus.js';
import { REVOCATIONS } from '#events/topics.js';

const partitionsOf = (topic: string) => (topic === REVOCATIONS ? 1 : 3);
const TRIES = 5;
const RETRY_MS = 20;

export class FakeBus implements Bus {
  /** True: nothing can be published. */
  away = false;
  readonly #logs = new Map<string, BusRecord[][]>();
  readonly #readers = new Set<Reader>();

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.away) return Promise.reject(new BusError('ERR_BUS_UNREACHABLE', 'the bus is away'));
    for (const { topic, key, value, headers } of records) {
      const partition = partitionOf(topic, key);
      const log = this.#log(topic, partition);
      log.push({
        topic,
        partition,
        offset: BigInt(log.length),
        appendedAtMs: Date.now(),
        key: Buffer.from(key),
        value,
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
      });
    }
    for (const reader of this.#readers) reader.wake();
    return Promise.resolve();
  }

  /** Everything on a topic, in the order of each partition. */
  records(topic: string): BusRecord[] {
    return Array.from({ length: partitionsOf(topic) }, (_, partition) => this.#log(topic, partition)).flat();
  }

  async subscribe(subscription: Subscription): Promise<Consumer> {
    const assigned = subscription.topics.flatMap((topic) =>
      Array.from({ length: partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
    );
    const positions = await subscription.positions(assigned);
    const readers = assigned.map(({ topic, partition }) => {
      const position = positions.find((p) => p.topic === topic && p.partition === partition);
      return new Reader(subscription, this.#log(topic, partition), Number(position?.next ?? 0n));
    });
    for (const reader of readers) this.#readers.add(reader.start());
    let stopped = false;
    return {
      ready: () => Promise.resolve(),
      isReady: () => !stopped,
      stop: async () => {
        stopped = true;
        for (const reader of readers) this.#readers.delete(reader);
        await Promise.all(readers.map((reader) => reader.stop()));
      },
    };
  }

  ensureTopics(): Promise<void> {
    return Promise.resolve();
  }

  ends(topics: readonly string[]): Promise<LogEnd[]> {
    return Promise.resolve(
      topics.flatMap((topic) =>
        Array.from({ length: partitionsOf(topic) }, (_, partition) => ({
          topic,
          partition,
          next: BigInt(this.#log(topic, partition).length),
          oldest: 0n,
        })),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.stop()));
  }

  #log(topic: string, partition: number): BusRecord[] {
    let partitions = this.#logs.get(topic);
    if (partitions === undefined) {
      partitions = Array.from({ length: partitionsOf(topic) }, () => []);
      this.#logs.set(topic, partitions);
    }
    return partitions[partition] ?? [];
  }
}

const partitionOf = (topic: string, key: string) =>
  [...key].reduce((sum, char) => sum + char.charCodeAt(0), 0) % partitionsOf(topic);

/** Reads one partition for one subscription. */
class Reader {
  #next: number;
  #stopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly subscription: Subscription,
    private readonly log: readonly BusRecord[],
    next: number,
  ) {
    this.#next = next;
  }

  start(): this {
    this.#running = this.#run();
    return this;
  }

  wake(): void {
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const batch = this.log.slice(this.#next);
      if (batch.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (!(await this.#deliver(batch))) return;
    }
  }

  async #deliver(batch: readonly BusRecord[]): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.subscription.onBatch(batch);
        this.#next += batch.length;
        return true;
      } catch (error) {
        if (this.#stopped) return false;
        if (tries >= TRIES) {
          this.subscription.onCrash(error as Error);
          return false;
        }
        await sleep(RETRY_MS);
      }
    }
  }
}
