/**
 * One member of a consumer group, for as long as a database session lasts. Its advisory locks say that it lives and which
 * partitions it owns; the server drops them with the session, so what a killed process held is free at once, and no clock
 * is asked. The same session hears of new records and of changes in the group.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Member, Place } from './assignment.js';
import { CHANNEL } from './migrations.js';

const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;

export interface SessionSettings {
  url: string;
  schema: string;
  application: string;
}

export interface SessionEvents {
  /** Records were appended to a partition. */
  onRecords: (place: Place) => void;
  /** A member came or went, or gave partitions up. */
  onGroup: () => void;
  /** The session is over, and with it all its locks. */
  onLost: () => void;
}

export class GroupSession {
  readonly id = randomUUID();
  readonly #client: pg.Client;
  readonly #schema: string;
  readonly #group: string;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: pg.Client, schema: string, group: string) {
    this.#client = client;
    this.#schema = schema;
    this.#group = group;
  }

  /** Joins the group. @throws the server's errors */
  static async join(
    settings: SessionSettings,
    group: string,
    topics: readonly string[],
    events: SessionEvents,
  ): Promise<GroupSession> {
    const { url, schema, application } = settings;
    const client = new pg.Client({
      connectionString: url,
      application_name: application,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      keepAlive: true,
      options: `-c search_path=${schema}`,
    });
    client.on('error', events.onLost);
    client.on('end', events.onLost);
    client.on('notification', ({ payload = '' }) => hear(payload, schema, group, events));
    const session = new GroupSession(client, schema, group);
    try {
      await client.connect();
      await session.#enter(topics);
    } catch (error) {
      await session.end();
      throw error;
    }
    return session;
  }

  async #enter(topics: readonly string[]): Promise<void> {
    await this.#query(`LISTEN ${CHANNEL}`);
    // Locked before it is listed: a listed member without its lock is a dead one.
    await this.#query(`SELECT pg_advisory_lock(hashtextextended('mayfly.bus.member.' || $1, 0))`, [this.id]);
    await this.#query(
      `INSERT INTO member ("group", id, topics, lock_key)
       VALUES ($1, $2, $3, hashtextextended('mayfly.bus.member.' || $2, 0))`,
      [this.#group, this.id, topics],
    );
    await this.announce();
  }

  /** One at a time: who gives a partition up does not wait for who looks at the group. */
  async #query<R extends pg.QueryResultRow>(
    text: string,
    values: unknown[] = [],
  ): Promise<pg.QueryResult<R>> {
    const answered = this.#last.then(() => this.#client.query<R>(text, values));
    this.#last = answered.catch(() => undefined);
    return await answered;
  }

  /** The members that live. */
  async members(): Promise<Member[]> {
    const { rows } = await this.#query<Member>(
      'SELECT id, topics FROM member WHERE "group" = $1 AND is_alive(lock_key)',
      [this.#group],
    );
    return rows;
  }

  /** Takes what of these partitions no other member holds. */
  async take(places: readonly Place[]): Promise<Place[]> {
    if (places.length === 0) return [];
    const { rows } = await this.#query<Place & { taken: boolean }>(
      `SELECT p.topic, p.partition, pg_try_advisory_lock(${lockOf('p.topic', 'p.partition')}) AS taken
       FROM unnest($3::text[], $4::int[]) p(topic, partition)`,
      [this.#schema, this.#group, places.map(({ topic }) => topic), places.map(({ partition }) => partition)],
    );
    return rows.filter(({ taken }) => taken).map(({ topic, partition }) => ({ topic, partition }));
  }

  async giveUp({ topic, partition }: Place): Promise<void> {
    await this.#query(`SELECT pg_advisory_unlock(${lockOf('$3::text', '$4::int')})`, [
      this.#schema,
      this.#group,
      topic,
      partition,
    ]);
    await this.announce();
  }

  /** End of the log of each partition, in case a notification was lost. */
  async ends(topics: readonly string[]): Promise<(Place & { high: bigint })[]> {
    const { rows } = await this.#query<Place & { high: bigint }>(
      'SELECT topic, partition, high FROM log_head WHERE topic = ANY ($1)',
      [topics],
    );
    return rows;
  }

  /** Leaves the group: its partitions are free when this resolves. */
  async leave(): Promise<void> {
    try {
      await this.#query('SELECT pg_advisory_unlock_all()');
      await this.#query('DELETE FROM member WHERE "group" = $1 AND id = $2', [this.#group, this.id]);
      await this.announce();
    } finally {
      await this.end();
    }
  }

  async end(): Promise<void> {
    this.#client.removeAllListeners('end');
    await this.#client.end().catch(() => undefined);
  }

  async announce(): Promise<void> {
    await this.#query('SELECT pg_notify($1, $2)', [CHANNEL, `g ${this.#schema} ${this.#group}`]);
  }
}

const lockOf = (topic: string, partition: string) =>
  `hashtextextended(concat_ws('/', 'mayfly.bus', $1::text, $2::text, ${topic}, ${partition}), 0)`;

function hear(payload: string, schema: string, group: string, events: SessionEvents): void {
  if (payload === `g ${schema} ${group}`) return events.onGroup();
  const [kind, inSchema, topic = '', partition] = payload.split(' ');
  if (kind === 'r' && inSchema === schema) events.onRecords({ topic, partition: Number(partition) });
}
