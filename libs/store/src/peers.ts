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
