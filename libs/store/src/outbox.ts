/** Records waiting to be sent: written in the transaction of their cause, sent after its commit, deleted once acknowledged. */
import type { EventHead } from '#events/envelope.js';
import type { Tx } from './database.js';
import { pack } from './pack.js';
import { runWrites, type Write } from './writes.js';

/** A record of ours before it is signed. The relay signs when it sends, because the counter is given at the insert. */
export interface UnsignedRecord {
  topic: string;
  key: string;
  head: EventHead;
  /** `null`: a tombstone on a compacted topic. */
  value: Buffer | null;
  /** Headers beside the attributes, not under the signature: what a dead letter tells of its origin. */
  extra?: Record<string, string>;
}

export interface QueuedRecord extends UnsignedRecord {
  /** Counts every record this store ever sent. */
  id: bigint;
}

/** Queues records in the order given, in one statement with other writes. */
export async function enqueueWith(
  tx: Tx,
  parts: readonly (Write | null)[],
  records: readonly UnsignedRecord[],
): Promise<QueuedRecord[]> {
  if (records.length === 0 && parts.every((part) => part === null)) return [];
  const values = pack(records.map((r) => r.value));
  const insert: Write = {
    sql: `INSERT INTO outbox (topic, key, head, value, extra)
            SELECT topic, key, head, substr($3::bytea, value_from, value_bytes), extra
              FROM ROWS FROM (unnest($1::text[], $2::text[], $4::int[], $5::int[]), jsonb_array_elements($6::jsonb), jsonb_array_elements($7::jsonb))
                   WITH ORDINALITY AS r(topic, key, value_from, value_bytes, head, extra, n)
             ORDER BY n
          RETURNING id`,
    values: [
      records.map((r) => r.topic),
      records.map((r) => r.key),
      values.bytes,
      values.from,
      values.lengths,
      JSON.stringify(records.map((r) => r.head)),
      JSON.stringify(records.map((r) => r.extra ?? {})),
    ],
  };
  const rows = await runWrites<{ id: bigint }>(tx, parts, insert);
  // RETURNING keeps the order of insertion, and identity values are given in it.
  return records.map((record, i) => ({ ...record, id: rows[i]?.id ?? -1n }));
}

/** Queues records in the order given. */
export async function enqueue(tx: Tx, records: readonly UnsignedRecord[]): Promise<QueuedRecord[]> {
  return await enqueueWith(tx, [], records);
}

export async function readOutbox(
  tx: Tx,
  olderThanMs: number,
  after: bigint,
  limit: number,
): Promise<QueuedRecord[]> {
  const { rows } = await tx.query<QueuedRecord>({
    name: 'read-outbox',
    text: `SELECT id, topic, key, head, value, extra FROM outbox
            WHERE id > $2 AND queued_at <= clock_timestamp() - $1 * interval '1 millisecond' ORDER BY id LIMIT $3`,
    values: [olderThanMs, after, limit],
  });
  return rows;
}
