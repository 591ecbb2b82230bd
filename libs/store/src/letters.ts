/** Parked records as a release takes them up: what was ordered, what goes together, and their bytes. */
import type { BusRecord } from '#bus/bus.js';
import type { Tx } from './database.js';
import type { LetterFacts, Order } from './dead-letter-records.js';
import { unpackHeaders, type ParkedWhy } from './parking.js';

/** A parked record with its bytes. */
export interface OpenLetter extends LetterFacts {
  record: BusRecord;
  why: ParkedWhy;
  code: string;
  attempts: number;
  state: 'parked' | 'retry' | 'drop';
  order: Order | null;
}

export interface Ordered {
  id: bigint;
  keyText: string;
  /** Where it holds, the whole key is its affair; else it alone. */
  holds: boolean;
}

/** Oldest first. One process at a time carries them out: none where another does. */
export async function orders(tx: Tx, group: string, limit: number): Promise<Ordered[]> {
  const { rows } = await tx.query<Ordered>({
    name: 'ordered-letters',
    text: `SELECT id, key_text AS "keyText", holds FROM dead_letter
            WHERE consumer_group = $1 AND state IN ('retry', 'drop')
              AND pg_try_advisory_xact_lock(hashtextextended('mayfly.release.' || current_schema() || '.' || $1, 0))
            ORDER BY ordered_at, id LIMIT $2`,
    values: [group, limit],
  });
  return rows;
}

/** Which records go together: all that hold the key, or the one that holds nothing. Takes $1 and $2: see {@link together}. */
export const togetherWith = ({ holds }: Ordered): string =>
  `consumer_group = $1 AND settled_at IS NULL AND ${holds ? 'holds AND key_text = $2' : 'id = $2'}`;
export const together = (group: string, { keyText, id, holds }: Ordered) => [group, holds ? keyText : id];

/** Readers that found the key held park behind it first; those that come later wait (`heldKeys`). */
export async function lock(tx: Tx, group: string, ordered: Ordered): Promise<void> {
  await tx.query(
    `SELECT FROM dead_letter WHERE ${togetherWith(ordered)} ORDER BY id FOR UPDATE`,
    together(group, ordered),
  );
}

/** In the order in which they were parked, which is that of their offsets. */
export async function lettersOf(tx: Tx, group: string, ordered: Ordered): Promise<OpenLetter[]> {
  const { rows } = await tx.query<LetterRow>(
    `SELECT id, topic, partition, bus_offset, key_text, record_key, headers, value, value_sha256, appended_at_ms,
            why, code, holds, attempts, state, ordered_by, reason
       FROM dead_letter WHERE ${togetherWith(ordered)} ORDER BY id`,
    together(group, ordered),
  );
  return rows.map(openLetter);
}

interface LetterRow {
  id: bigint;
  topic: string;
  partition: number;
  bus_offset: bigint;
  key_text: string;
  record_key: Buffer | null;
  headers: Buffer;
  value: Buffer | null;
  value_sha256: string;
  appended_at_ms: bigint;
  why: ParkedWhy;
  code: string;
  holds: boolean;
  attempts: number;
  state: OpenLetter['state'];
  ordered_by: string | null;
  reason: string | null;
}

const openLetter = (row: LetterRow): OpenLetter => ({
  id: row.id,
  topic: row.topic,
  partition: row.partition,
  offset: row.bus_offset,
  keyText: row.key_text,
  valueSha256: row.value_sha256,
  holds: row.holds,
  record: {
    topic: row.topic,
    partition: row.partition,
    offset: row.bus_offset,
    appendedAtMs: Number(row.appended_at_ms),
    key: row.record_key,
    value: row.value,
    headers: unpackHeaders(row.headers),
  },
  why: row.why,
  code: row.code,
  attempts: row.attempts,
  state: row.state,
  order:
    row.ordered_by === null || row.state === 'parked'
      ? null
      : { by: row.ordered_by, ...(row.reason === null ? {} : { reason: row.reason }) },
});

/** The row stays, so that the record is known when it is delivered again; its bytes go. */
export async function settle(
  tx: Tx,
  letters: readonly OpenLetter[],
  state: 'released' | 'dropped',
): Promise<void> {
  if (letters.length === 0) return;
  await tx.query(
    `UPDATE dead_letter SET state = $2, settled_at = clock_timestamp(), record_key = NULL, headers = NULL, value = NULL
      WHERE id = ANY($1::bigint[])`,
    [letters.map(({ id }) => id), state],
  );
}
