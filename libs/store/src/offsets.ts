/**
 * Where a consumer stands. The truth is here, not in the bus: the position moves in the transaction of the effects,
 * and reading starts from it after every assignment (protocol: what is committed is done, what is not is read again).
 */
import type { Position } from '#bus/bus.js';
import { ConcurrencyError } from './concurrency-error.js';
import type { Database, Tx } from './database.js';

/** The stored positions of the partitions just assigned; one never read is left out and starts at the oldest record. */
export async function readPositions(
  db: Database,
  group: string,
  assigned: readonly { topic: string; partition: number }[],
): Promise<Position[]> {
  const { rows } = await db.pool.query<Position & { last: bigint | null }>(
    `SELECT topic, partition, next, (SELECT max(o) FROM unnest(beyond) AS b(o)) AS last
       FROM bus_offset JOIN unnest($2::text[], $3::int[]) AS a(topic, partition) USING (topic, partition) WHERE consumer_group = $1`,
    [group, assigned.map((a) => a.topic), assigned.map((a) => a.partition)],
  );
  return rows.map(({ last, ...position }) =>
    last === null ? position : { ...position, reached: last + 1n },
  );
}

/**
 * Locks the position for the rest of the transaction and returns the offset wanted next. The caller drops lower ones:
 * an old and a new owner of a partition are serialised here.
 */
export async function lockOffset(tx: Tx, group: string, topic: string, partition: number): Promise<bigint> {
  const { rows } = await tx.query<{ next: bigint }>(
    `INSERT INTO bus_offset AS o (consumer_group, topic, partition, next) VALUES ($1, $2, $3, 0)
       ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next = o.next RETURNING next`,
    [group, topic, partition],
  );
  return rows[0]?.next ?? 0n;
}

export async function advanceOffset(
  tx: Tx,
  group: string,
  topic: string,
  partition: number,
  next: bigint,
): Promise<void> {
  await tx.query(
    'UPDATE bus_offset SET next = $4 WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND next < $4',
    [group, topic, partition, next],
  );
}

/** A partition of which everything before `next` will be handled, and of what comes later these alone. */
export interface Move {
  topic: string;
  partition: number;
  next: bigint;
  /** None if nothing is said. */
  beyond?: readonly bigint[];
}

/** What was handled of a partition before this transaction. */
export interface Handled {
  /** Everything before it. */
  next: bigint;
  beyond: readonly bigint[];
}

export const NOTHING_HANDLED: Handled = { next: 0n, beyond: [] };

export const isHandled = ({ next, beyond }: Handled, offset: bigint): boolean =>
  offset < next || beyond.includes(offset);

/**
 * Locks these positions and moves them at once, for a transaction that will handle everything up to there or roll back. What was handled
 * beyond a position stays noted until the position has come by.
 * @param moves one for each partition.
 * @returns what was handled before, by {@link partitionKey}. The caller drops that.
 * @throws ConcurrencyError where another owner made a position in this moment
 */
export async function moveOffsets(
  tx: Tx,
  group: string,
  moves: readonly Move[],
): Promise<ReadonlyMap<string, Handled>> {
  const { rows } = await tx.query<{
    topic: string;
    partition: number;
    before: bigint | null;
    beyond: string[] | null;
    made: boolean;
  }>({
    name: 'move-offsets',
    // Locked in one order everywhere, so that two owners of partitions cannot wait for each other.
    text: `WITH wanted AS (SELECT w.topic, w.partition, w.upto, w.beyond::bigint[] AS beyond
                             FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[]) AS w(topic, partition, upto, beyond)),
                before AS (SELECT o.topic, o.partition, o.next, o.beyond FROM bus_offset AS o JOIN wanted USING (topic, partition)
                            WHERE o.consumer_group = $1 ORDER BY o.topic, o.partition FOR UPDATE OF o)
           INSERT INTO bus_offset AS o (consumer_group, topic, partition, next, beyond)
           SELECT $1, topic, partition, greatest(upto, before.next), wanted.beyond FROM wanted LEFT JOIN before USING (topic, partition)
            ORDER BY topic, partition
             ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET
                next = greatest(o.next, excluded.next),
                beyond = CASE WHEN o.beyond = '{}' AND excluded.beyond = '{}' THEN '{}' ELSE
                  ARRAY(SELECT DISTINCT b FROM unnest(o.beyond || excluded.beyond) AS u(b)
                         WHERE b >= greatest(o.next, excluded.next) ORDER BY b) END
           RETURNING topic, partition, xmax = 0 AS made,
                     (SELECT next FROM before AS b WHERE b.topic = o.topic AND b.partition = o.partition) AS before,
                     (SELECT b.beyond::text[] FROM before AS b WHERE b.topic = o.topic AND b.partition = o.partition) AS beyond`,
    values: [
      group,
      moves.map((move) => move.topic),
      moves.map((move) => move.partition),
      moves.map((move) => move.next),
      moves.map(({ beyond = [] }) => `{${beyond.join(',')}}`),
    ],
  });
  return new Map(
    rows.map(({ before, beyond, made, ...where }) => {
      if (before === null && !made) throw new ConcurrencyError('a position was made by another owner');
      return [partitionKey(where), { next: before ?? 0n, beyond: (beyond ?? []).map(BigInt) }];
    }),
  );
}

export const partitionKey = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`;

/** Right behind the last of these records, for each of their partitions. */
export function positionsBehind(
  records: readonly { topic: string; partition: number; offset: bigint }[],
): Move[] {
  const last = new Map<string, Move>();
  for (const { topic, partition, offset } of records)
    last.set(partitionKey({ topic, partition }), { topic, partition, next: offset + 1n });
  return [...last.values()];
}
