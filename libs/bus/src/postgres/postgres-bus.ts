/**
 * The bus in tables of a PostgreSQL: durable, for one machine, without Kafka and without Kafka's clients. Needs sessions of
 * its own: not for a transaction pooler.
 */
import { openDatabase, type Database } from '#store/database.js';
import { createLog, type Log } from '#telemetry/log.js';
import type { Bus, Consumer, LogEnd, OutgoingRecord, Subscription, TopicToEnsure } from '../bus.js';
import type { SessionSettings } from './group-session.js';
import { PostgresConsumer } from './postgres-consumer.js';
import { unreachable } from './postgres-error.js';
import { ensurePrepared } from './prepare.js';
import { Publisher } from './publisher.js';
import { Retention } from './retention.js';
import { ensureTopics, fetchBounds } from './topics.js';

export interface PostgresBusSettings {
  /** `postgres://…` It holds a password: MUST NOT be logged. */
  url: string;
  /** A plain lower-case name. The role owns it, or was let in by `prepareBus`. */
  schema: string;
  /** Shown in `pg_stat_activity`. */
  clientId: string;
}

/**
 * Connects; `log` is silent by default. The owner of the schema brings its tables up to date.
 * @throws BusError ERR_BUS_UNREACHABLE
 */
export async function openPostgresBus(settings: PostgresBusSettings, log?: Log): Promise<Bus> {
  const lines = log ?? createLog('bus', { level: 'silent' });
  const { url, schema, clientId: application } = settings;
  const db = openDatabase({ url, schema, application }, (err) =>
    lines.warn({ err }, 'an idle connection of the bus was lost'),
  );
  try {
    await ensurePrepared(db);
  } catch (error) {
    await db.close();
    throw error;
  }
  return new PostgresBus(db, { url, schema, application }, lines);
}

class PostgresBus implements Bus {
  readonly #db: Database;
  readonly #settings: SessionSettings;
  readonly #log: Log;
  readonly #publisher: Publisher;
  readonly #retention: Retention;
  readonly #consumers = new Set<PostgresConsumer>();
  #closing: Promise<void> | undefined;

  constructor(db: Database, settings: SessionSettings, log: Log) {
    this.#db = db;
    this.#settings = settings;
    this.#log = log;
    this.#publisher = new Publisher(db, log);
    this.#retention = new Retention(db, log);
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#publisher.publish(records);
  }

  async subscribe(subscription: Subscription): Promise<Consumer> {
    const consumer = new PostgresConsumer(this.#db, this.#settings, subscription, this.#log);
    this.#consumers.add(consumer);
    await consumer.start();
    return consumer;
  }

  async ensureTopics(topics: readonly TopicToEnsure[]): Promise<void> {
    if (topics.length === 0) return;
    try {
      await ensureTopics(this.#db, topics, this.#log);
    } catch (error) {
      throw unreachable(error, 'topics');
    }
  }

  async ends(topics: readonly string[]): Promise<LogEnd[]> {
    try {
      const bounds = await fetchBounds(this.#db, topics);
      return bounds.map(({ low, high, ...place }) => ({ ...place, next: high, oldest: low }));
    } catch (error) {
      throw unreachable(error, 'end offsets');
    }
  }

  /** Stops what still reads, sends what still waits. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop()));
    await this.#publisher.close();
    await this.#retention.stop();
    await this.#db.close();
  }
}
