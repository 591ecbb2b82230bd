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
  const { rows } = await db.pool.query<Position>(
    `SELECT topic, partition, next FROM bus_offset JOIN unnest($2::text[], $3::int[]) AS a(topic, partition)
       USING (topic, partition) WHERE consumer_group = $1`,
    [group, assigned.map((a) => a.topic), assigned.map((a) => a.partition)],
  );
  return rows;
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

/**
 * Locks the position and moves it at once, for a transaction that will handle everything up to `to` or roll back.
 * @returns the offset that was wanted next. The caller drops lower ones.
 * @throws ConcurrencyError where another owner made the position in this moment
 */
export async function moveOffset(
  tx: Tx,
  group: string,
  topic: string,
  partition: number,
  to: bigint,
): Promise<bigint> {
  const { rows } = await tx.query<{ before: bigint | null; made: boolean }>({
    name: 'move-offset',
    text: `WITH before AS (SELECT next FROM bus_offset
                            WHERE consumer_group = $1 AND topic = $2 AND partition = $3 FOR UPDATE)
           INSERT INTO bus_offset AS o (consumer_group, topic, partition, next)
           VALUES ($1, $2, $3, greatest($4, (SELECT next FROM before)))
             ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next = greatest(o.next, excluded.next)
           RETURNING (SELECT next FROM before) AS before, xmax = 0 AS made`,
    values: [group, topic, partition, to],
  });
  const [row] = rows;
  if (row?.before != null) return row.before;
  if (row?.made !== true) throw new ConcurrencyError('a position was made by another owner');
  return 0n;
}
