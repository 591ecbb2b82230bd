/** Watches the counters of other services' records: a counter that goes back, with a record never seen, is a restored database. */
import type { Tx } from './database.js';

export interface PeerCount {
  topic: string;
  partition: number;
  service: string;
  epoch: string;
  n: bigint;
}

/** Remembers the highest counter of a batch. @returns the one that was known before, if it is of the same epoch and not lower. */
export async function notePeerCount(tx: Tx, highest: PeerCount): Promise<bigint | null> {
  const { rows } = await tx.query<{ epoch: string; n: bigint }>(
    'SELECT epoch, n FROM peer_counter WHERE topic = $1 AND partition = $2 AND service = $3 FOR UPDATE',
    [highest.topic, highest.partition, highest.service],
  );
  const known = rows[0];
  const wentBack = known !== undefined && known.epoch === highest.epoch && known.n >= highest.n;
  if (!wentBack)
    await tx.query(
      `INSERT INTO peer_counter (topic, partition, service, epoch, n) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (topic, partition, service) DO UPDATE SET epoch = excluded.epoch, n = excluded.n`,
      [highest.topic, highest.partition, highest.service, highest.epoch, highest.n],
    );
  return wentBack ? known.n : null;
}

/** The same for several partitions, in one round trip. @returns those that went back, with what was known before. */
export async function notePeerCounts(
  tx: Tx,
  highest: readonly PeerCount[],
): Promise<{ count: PeerCount; known: bigint }[]> {
  if (highest.length === 0) return [];
  const { rows } = await tx.query<{ i: bigint; n: bigint }>({
    name: 'note-peer-counts',
    text: `WITH seen AS (
             SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::bigint[])
                    WITH ORDINALITY AS s(topic, partition, service, epoch, n, i)),
           known AS (
             SELECT s.i, p.epoch = s.epoch AND p.n >= s.n AS back, p.n FROM peer_counter AS p
               JOIN seen AS s USING (topic, partition, service) ORDER BY topic, partition, service FOR UPDATE OF p),
           saved AS (
             INSERT INTO peer_counter AS p (topic, partition, service, epoch, n)
             SELECT topic, partition, service, epoch, n FROM seen
              WHERE NOT EXISTS (SELECT FROM known WHERE known.i = seen.i AND back)
             ON CONFLICT (topic, partition, service) DO UPDATE SET epoch = excluded.epoch, n = excluded.n)
           SELECT i, n FROM known WHERE back`,
    values: [
      highest.map((count) => count.topic),
      highest.map((count) => count.partition),
      highest.map((count) => count.service),
      highest.map((count) => count.epoch),
      highest.map((count) => count.n),
    ],
  });
  return rows.flatMap(({ i, n }) => {
    const count = highest[Number(i) - 1];
    return count === undefined ? [] : [{ count, known: n }];
  });
}
