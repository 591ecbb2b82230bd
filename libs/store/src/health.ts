/**
 * How a service's store does, as metrics and as reasons why the service is not ready: what of the topics is not read yet, what
 * of the outbox is not sent yet, and transactions that do not end. Looked at every few seconds in the background, so that
 * neither a scrape nor a probe costs anything, and a server that hangs keeps neither waiting.
 */
import type { Bus, Position } from '#bus/bus.js';
import type { Metrics } from '#telemetry/metrics.js';
import type { Database } from './database.js';
import { repeat } from './repeat.js';

export interface StoreHealthParts {
  db: Database;
  group: string;
  /** Those that the group reads. */
  topics: readonly string[];
  /** Undefined until it is reached. */
  bus: () => Pick<Bus, 'ends'> | undefined;
  /** What this process has in hand; undefined until the bus is reached. */
  relay: () => { oldestMs: () => number; refused: readonly bigint[] } | undefined;
  metrics: Metrics;
  /** Constant messages. */
  warn: (fields: object, message: string) => void;
}

export interface StoreHealth {
  /** Short constant phrases, as of the last look; none where all is well. */
  reasons: () => string[];
  /** Age of the oldest record that waits to be sent, whichever process wrote it. */
  outboxOldestMs: () => number;
  stop: () => Promise<void>;
}

export const HEALTH_LIMITS = {
  lookEveryMs: 5_000,
  stalledMs: 30_000,
  /** Ours take milliseconds, and none waits longer for a lock. */
  stuckMs: 10_000,
} as const;
export type HealthLimits = { readonly [L in keyof typeof HEALTH_LIMITS]: number };

export function storeHealth(parts: StoreHealthParts, limits: HealthLimits = HEALTH_LIMITS): StoreHealth {
  const { metrics, warn } = parts;
  const reading = new Reading();
  let waiting: Waiting = { outboxMs: 0, transactionMs: 0 };
  const lag = metrics.gauge({
    name: 'consumer_lag_records',
    help: 'Records on a topic that this service has not handled yet, of all its processes.',
    labels: ['topic'],
  });
  metrics.gauge({
    name: 'consumer_stalled_seconds',
    help: 'How long a partition with records to be read has not come forward.',
    read: () => reading.stalledMs() / 1_000,
  });
  metrics.gauge({
    name: 'transaction_oldest_seconds',
    help: 'Age of the oldest open transaction of this service, of all its processes.',
    read: () => waiting.transactionMs / 1_000,
  });
  const loops = [
    repeat(
      limits.lookEveryMs,
      async () => {
        for (const [topic, records] of await reading.look(parts)) lag.set({ topic }, records);
      },
      (err) => warn({ err }, 'how far the topics are read is not known'),
    ),
    repeat(
      limits.lookEveryMs,
      async () => {
        waiting = await waitingIn(parts.db, parts.relay()?.refused ?? []);
      },
      (err) => {
        // That the database does not answer is a reason of its own.
        waiting = { outboxMs: 0, transactionMs: 0 };
        warn({ err }, 'what waits in the database is not known');
      },
    ),
  ];
  return {
    outboxOldestMs: () => Math.max(waiting.outboxMs, parts.relay()?.oldestMs() ?? 0),
    reasons: () => [
      ...(reading.stalledMs() > limits.stalledMs ? ['records are not being read'] : []),
      ...(waiting.transactionMs > limits.stuckMs ? ['a transaction is stuck'] : []),
    ],
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

interface Seen {
  next: bigint;
  /** Since when it is there with records before it; null where there are none. By the monotonic clock. */
  sinceMs: number | null;
}

/** How far the group has come, by partition. Its positions are those of all its processes. */
class Reading {
  #seen = new Map<string, Seen>();

  /** @returns by topic how many records are not handled yet; nothing while the bus is not reached. */
  async look({ bus, db, group, topics }: StoreHealthParts): Promise<Map<string, number>> {
    const reached = bus();
    if (reached === undefined) return new Map();
    // The ends first: what comes in between may be read, but never be missed.
    const ends = await reached.ends(topics);
    const { rows } = await db.pool.query<Position>(
      'SELECT topic, partition, next FROM bus_offset WHERE consumer_group = $1 AND topic = ANY($2::text[])',
      [group, topics],
    );
    const stored = new Map(rows.map((row) => [keyOf(row), row.next]));
    const lags = new Map(topics.map((topic) => [topic, 0]));
    const seen = new Map<string, Seen>();
    for (const end of ends) {
      const key = keyOf(end);
      const next = max(stored.get(key) ?? 0n, end.oldest);
      const behind = end.next > next ? end.next - next : 0n;
      lags.set(end.topic, (lags.get(end.topic) ?? 0) + Number(behind));
      const before = this.#seen.get(key);
      const since = before?.next === next ? before.sinceMs : null;
      seen.set(key, { next, sinceMs: behind === 0n ? null : (since ?? performance.now()) });
    }
    this.#seen = seen;
    return lags;
  }

  stalledMs(): number {
    const since = [...this.#seen.values()].flatMap(({ sinceMs }) => sinceMs ?? []);
    return since.length === 0 ? 0 : performance.now() - Math.min(...since);
  }
}

const keyOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;
const max = (a: bigint, b: bigint) => (a > b ? a : b);

interface Waiting {
  outboxMs: number;
  transactionMs: number;
}

/** @param refused what the bus will never take: it keeps its row, and says nothing about the rest. */
async function waitingIn(db: Database, refused: readonly bigint[]): Promise<Waiting> {
  const { rows } = await db.pool.query<Waiting>(
    `SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - queued_at) * 1000
                        FROM outbox WHERE id <> ALL($1::bigint[]) ORDER BY id LIMIT 1), 0)::float8 AS "outboxMs",
            coalesce((SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) * 1000
                        FROM pg_stat_activity
                       WHERE datname = current_database() AND usename = current_user
                         AND application_name = current_setting('application_name')
                         AND pid <> pg_backend_pid()), 0)::float8 AS "transactionMs"`,
    [refused],
  );
  return rows[0] ?? { outboxMs: 0, transactionMs: 0 };
}
