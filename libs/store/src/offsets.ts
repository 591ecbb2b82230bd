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

/** A partition of which everything before `next` will be handled. */
export type Move = Position;

/**
 * Locks these positions and moves them at once, for a transaction that will handle everything up to there or roll back.
 * @param moves one for each partition.
 * @returns the offsets that were wanted next, by {@link partitionKey}. The caller drops lower ones.
 * @throws ConcurrencyError where another owner made a position in this moment
 */
export async function moveOffsets(
  tx: Tx,
  group: string,
  moves: readonly Move[],
): Promise<ReadonlyMap<string, bigint>> {
  const { rows } = await tx.query<{
    topic: string;
    partition: number;
    before: bigint | null;
    made: boolean;
  }>({
    name: 'move-offsets',
    // Locked in one order everywhere, so that two owners of partitions cannot wait for each other.
    text: `WITH wanted AS (SELECT * FROM unnest($2::text[], $3::int[], $4::bigint[]) AS w(topic, partition, upto)),
                before AS (SELECT o.topic, o.partition, o.next FROM bus_offset AS o JOIN wanted USING (topic, partition)
                            WHERE o.consumer_group = $1 ORDER BY o.topic, o.partition FOR UPDATE OF o)
           INSERT INTO bus_offset AS o (consumer_group, topic, partition, next)
           SELECT $1, topic, partition, greatest(upto, before.next) FROM wanted LEFT JOIN before USING (topic, partition)
            ORDER BY topic, partition
             ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next = greatest(o.next, excluded.next)
           RETURNING topic, partition, xmax = 0 AS made,
                     (SELECT next FROM before AS b WHERE b.topic = o.topic AND b.partition = o.partition) AS before`,
    values: [
      group,
      moves.map((move) => move.topic),
      moves.map((move) => move.partition),
      moves.map((move) => move.next),
    ],
  });
  return new Map(
    rows.map(({ before, made, ...where }) => {
      if (before === null && !made) throw new ConcurrencyError('a position was made by another owner');
      return [partitionKey(where), before ?? 0n];
    }),
  );
}

export const partitionKey = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`;

/** Right behind the last of these records, for each of their partitions. */
export function positionsBehind(
  records: readonly { topic: string; partition: number; offset: bigint }[],
): Position[] {
  const last = new Map<string, Position>();
  for (const { topic, partition, offset } of records)
    last.set(partitionKey({ topic, partition }), { topic, partition, next: offset + 1n });
  return [...last.values()];
}
