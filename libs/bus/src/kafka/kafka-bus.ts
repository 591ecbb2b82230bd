/** The bus on Apache Kafka, through kafkajs. */
import type { Admin, Kafka } from 'kafkajs';
import { createLog, type Log } from '#telemetry/log.js';
import type { Bus, Consumer, LogEnd, OutgoingRecord, Subscription, TopicToEnsure } from '../bus.js';
import { kafkajs } from './client.js';
import { fetchBounds } from './fetch-bounds.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { unreachable } from './kafka-error.js';
import { clientConfig, type KafkaSettings } from './kafka-settings.js';
import { Publisher } from './publisher.js';
import { ensureTopics } from './topics.js';

export type { KafkaSettings };

/**
 * Connects to the cluster; `log` is silent by default.
 * @throws BusError ERR_BUS_UNREACHABLE
 */
export async function openKafka(settings: KafkaSettings, log?: Log): Promise<Bus> {
  const lines = log ?? createLog('bus', { level: 'silent' });
  const readers = new kafkajs.Kafka(await clientConfig(settings, 'reader', lines));
  const writers = new kafkajs.Kafka(await clientConfig(settings, 'writer', lines));
  const admin = writers.admin();
  const publisher = new Publisher(writers, lines);
  try {
    await admin.connect();
    await publisher.open();
  } catch (error) {
    await Promise.allSettled([admin.disconnect(), publisher.close()]);
    throw unreachable(error, 'connect');
  }
  return new KafkaBus(readers, admin, publisher, lines);
}

class KafkaBus implements Bus {
  readonly #readers: Kafka;
  readonly #admin: Admin;
  readonly #publisher: Publisher;
  readonly #log: Log;
  readonly #consumers = new Set<KafkaConsumer>();

  constructor(readers: Kafka, admin: Admin, publisher: Publisher, log: Log) {
    this.#readers = readers;
    this.#admin = admin;
    this.#publisher = publisher;
    this.#log = log;
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#publisher.publish(records);
  }

  async subscribe(subscription: Subscription): Promise<Consumer> {
    const consumer = new KafkaConsumer(this.#readers, this.#admin, subscription, this.#log);
    this.#consumers.add(consumer);
    await consumer.start();
    return consumer;
  }

  async ensureTopics(topics: readonly TopicToEnsure[]): Promise<void> {
    if (topics.length === 0) return;
    try {
      await ensureTopics(this.#admin, topics, this.#log);
    } catch (error) {
      throw unreachable(error, 'topics');
    }
  }

  async ends(topics: readonly string[]): Promise<LogEnd[]> {
    try {
      const bounds = await fetchBounds(this.#admin, topics);
      return bounds.map(({ low, high, ...place }) => ({ ...place, next: high, oldest: low }));
    } catch (error) {
      throw unreachable(error, 'end offsets');
    }
  }

  /** Stops what still reads, sends what still waits. */
  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    await this.#publisher.close();
    await this.#admin.disconnect();
  }
}
