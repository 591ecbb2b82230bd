/** The life of a database: its epoch, those before it, and what is left to be done before its service works again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { LogEnd } from '#bus/bus.js';
import type { ServiceName } from '#events/services.js';
import type { Database, Tx } from './database.js';

/** A service whose database was restored, and which waits until every target was swept. */
export interface SweepOrder {
  service: ServiceName;
  epoch: string;
}

/** Written by `mayfly recover` and by what a service hears; taken away by the service that has done it. */
export interface Recovery {
  /** The database was restored: what it has forgotten is taken over from the topics. */
  store: boolean;
  /** Topics that were made anew: what was on them is gone. */
  topics: string[];
  /** Only the revoker sweeps. */
  sweeps: SweepOrder[];
}

export interface StoreLife {
  epoch: string;
  /** Epochs whose records this database knows, or has taken over. */
  earlier: string[];
  recovering: Recovery | null;
}

const ASK_AGAIN_MS = 100;
const NOTHING: Recovery = { store: false, topics: [], sweeps: [] };

export async function readStoreLife(db: Pick<pg.Pool, 'query'>): Promise<StoreLife> {
  const { rows } = await db.query<StoreLife>({
    name: 'store-life',
    text: 'SELECT epoch, earlier, recovering FROM store_meta',
  });
  const [life] = rows;
  if (life === undefined) throw new Error('the store has no epoch');
  return life;
}

/**
 * Begins a new life of the database: readers see from the epoch that its counter may go back.
 * @param seen epochs of this service that were found on the topics
 */
export async function raiseEpoch(tx: Tx, seen: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE store_meta SET
       earlier = (SELECT array_agg(DISTINCT e ORDER BY e) FROM unnest(earlier || epoch || $1::text[]) AS e),
       epoch = replace(gen_random_uuid()::text, '-', '')`,
    [seen],
  );
}

/** Adds to what is left to be done. */
export async function order(tx: Tx, more: Partial<Recovery>): Promise<void> {
  const { rows } = await tx.query<{ recovering: Recovery | null }>(
    'SELECT recovering FROM store_meta FOR UPDATE',
  );
  const before = rows[0]?.recovering ?? NOTHING;
  const key = ({ service, epoch }: SweepOrder) => `${service} ${epoch}`;
  const sweeps = new Map([...before.sweeps, ...(more.sweeps ?? [])].map((sweep) => [key(sweep), sweep]));
  await save(tx, {
    store: before.store || more.store === true,
    topics: [...new Set([...before.topics, ...(more.topics ?? [])])],
    sweeps: [...sweeps.values()],
  });
}

/** In the transaction that did the last of it. What was ordered since stays. */
export async function endRecovery(tx: Tx, done: Recovery): Promise<void> {
  const { rows } = await tx.query<{ recovering: Recovery | null }>(
    'SELECT recovering FROM store_meta FOR UPDATE',
  );
  const now = rows[0]?.recovering ?? NOTHING;
  await save(tx, {
    store: now.store && !done.store,
    topics: now.topics.filter((topic) => !done.topics.includes(topic)),
    sweeps: now.sweeps.filter(
      (sweep) => !done.sweeps.some((each) => each.service === sweep.service && each.epoch === sweep.epoch),
    ),
  });
}

async function save(tx: Tx, { store, topics, sweeps }: Recovery): Promise<void> {
  const isOver = !store && topics.length === 0 && sweeps.length === 0;
  await tx.query('UPDATE store_meta SET recovering = $1', [
    isOver ? null : JSON.stringify({ store, topics, sweeps }),
  ]);
}

/** Positions that the log no longer reaches are moved to where it begins: what lies between is known to be lost. What was handled beyond them may be other records by now. */
export async function fitPositions(tx: Tx, group: string, ends: readonly LogEnd[]): Promise<void> {
  await tx.query(
    `UPDATE bus_offset AS o SET next = l.oldest, beyond = '{}'
       FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS l(topic, partition, oldest, "end")
      WHERE o.consumer_group = $1 AND o.topic = l.topic AND o.partition = l.partition
        AND (o.next < l.oldest OR greatest(o.next, (SELECT max(b) + 1 FROM unnest(o.beyond) AS u(b))) > l."end")`,
    [
      group,
      ends.map(({ topic }) => topic),
      ends.map(({ partition }) => partition),
      ends.map(({ oldest }) => oldest),
      ends.map(({ next }) => next),
    ],
  );
}

/**
 * Runs `work` while no other process of the service does: two at once take turns, however long a turn is.
 * @throws AbortError where it was told to stop before it was its turn; what `work` throws
 */
export async function alone(db: Database, work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const client = await db.pool.connect();
  // A session that is lost frees the lock; what is done twice then is harmless, and the process has other worries.
  client.on('error', () => undefined);
  try {
    // Asked again and again: one query that waited would be given up, and the connection with it.
    while (!(await isTaken(client))) await sleep(ASK_AGAIN_MS, undefined, { signal });
    await work();
  } finally {
    client.release(true);
  }
}

async function isTaken(client: Pick<Tx, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('mayfly.recovery.' || current_schema(), 0)) AS taken",
  );
  return rows[0]?.taken === true;
}

/** Of topics that were made anew: they are read from their oldest record. */
export async function forgetPositions(tx: Tx, group: string, topics: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM bus_offset WHERE consumer_group = $1 AND topic = ANY($2::text[])', [
    group,
    topics,
  ]);
}
