/**
 * Watches the counters of other services' records. A record that comes twice is no news, and two processes of one service send
 * out of order; but two records with one counter of one epoch were written by two lives of one database: it was restored, and
 * does not know it. Only the highest counter of each partition is remembered, so a new life is found when it has counted up to
 * one of them: soon, or never where it runs ahead. Its own look at its topics (`epoch.ts`) is what keeps it from running.
 */
import type { Tx } from './database.js';

export interface PeerRecord {
  topic: string;
  partition: number;
  service: string;
  epoch: string;
  n: bigint;
  ceId: string;
}

/** Remembers the newest of each partition. @returns those whose counter another record had. */
export async function notePeerRecords(tx: Tx, heard: readonly PeerRecord[]): Promise<PeerRecord[]> {
  if (heard.length === 0) return [];
  const { rows } = await tx.query<{ i: bigint }>({
    name: 'note-peer-records',
    text: `WITH heard AS (
             SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[])
                    WITH ORDINALITY AS h(topic, partition, service, epoch, n, ce_id, i)),
           saved AS (
             INSERT INTO peer_counter AS p (topic, partition, service, epoch, n, ce_id)
             SELECT DISTINCT ON (topic, partition, service) topic, partition, service, epoch, n, ce_id
               FROM heard ORDER BY topic, partition, service, i DESC
             ON CONFLICT (topic, partition, service) DO UPDATE
               SET epoch = excluded.epoch, n = excluded.n, ce_id = excluded.ce_id
               WHERE p.epoch <> excluded.epoch OR p.n < excluded.n)
           SELECT DISTINCT h.i FROM heard AS h JOIN peer_counter AS p
               ON p.service = h.service AND p.epoch = h.epoch AND p.n = h.n AND p.ce_id <> h.ce_id
            ORDER BY h.i`,
    values: [
      heard.map((record) => record.topic),
      heard.map((record) => record.partition),
      heard.map((record) => record.service),
      heard.map((record) => record.epoch),
      heard.map((record) => record.n),
      heard.map((record) => record.ceId),
    ],
  });
  return rows.flatMap(({ i }) => heard[Number(i) - 1] ?? []);
}
