/** The append-only streams. A stream is one task; its version is the number of events in it. */
import { ConcurrencyError } from './concurrency-error.js';
import type { Tx } from './database.js';
import type { StoredEvent } from './stored-event.js';
import { upcast, type Upcasts } from './upcast.js';
import { runWrites, type Write } from './writes.js';

export { ConcurrencyError };
export type { StoredEvent };

/** Null for no events. @throws ConcurrencyError (when run) where a version of a stream is there: load again, decide again. */
export function eventsWrite(events: readonly StoredEvent[]): Write | null {
  if (events.length === 0) return null;
  return {
    sql: `INSERT INTO event (stream, version, type, data, ce_id, caused_by, schema_version)
            SELECT * FROM ROWS FROM (unnest($1::text[], $2::int[], $3::text[]), jsonb_array_elements($4::jsonb),
                                     unnest($5::text[], $6::text[], $7::int[]))`,
    values: [
      events.map((e) => e.stream),
      events.map((e) => e.version),
      events.map((e) => e.type),
      JSON.stringify(events.map((e) => e.data)),
      events.map((e) => e.ceId),
      events.map((e) => e.causedBy ?? null),
      events.map((e) => e.schemaVersion ?? 1),
    ],
  };
}

/** @throws ConcurrencyError */
export async function appendEvents(tx: Tx, events: readonly StoredEvent[]): Promise<void> {
  const write = eventsWrite(events);
  if (write !== null) await runWrites(tx, [], write);
}

/** A stream as it was written, in order. */
export async function readStored(tx: Tx, stream: string): Promise<StoredEvent[]> {
  const { rows } = await tx.query<StoredEvent>(
    `SELECT stream, version, type, schema_version AS "schemaVersion", data, ce_id AS "ceId", caused_by AS "causedBy"
       FROM event WHERE stream = $1 ORDER BY version`,
    [stream],
  );
  return rows;
}

/** A stream in the shape of today. @throws UpcastError for an event that is not known here */
export async function readStream(tx: Tx, stream: string, upcasts: Upcasts): Promise<StoredEvent[]> {
  return (await readStored(tx, stream)).map((event) => upcast(event, upcasts));
}

/** The last events of these types, at most so many, in their order and in the shape of today. @throws UpcastError */
export async function readLast(
  tx: Tx,
  { stream, types, limit }: { stream: string; types: readonly string[]; limit: number },
  upcasts: Upcasts,
): Promise<StoredEvent[]> {
  const { rows } = await tx.query<StoredEvent>(
    `SELECT stream, version, type, schema_version AS "schemaVersion", data, ce_id AS "ceId", caused_by AS "causedBy"
       FROM event WHERE stream = $1 AND type = ANY($2::text[]) ORDER BY version DESC LIMIT $3`,
    [stream, types, limit],
  );
  return rows.reverse().map((event) => upcast(event, upcasts));
}

/** Whether the stream has an event of this type that this record led to. */
export async function hasEvent(tx: Tx, stream: string, type: string, causedBy: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'SELECT 1 FROM event WHERE stream = $1 AND type = $2 AND caused_by = $3 LIMIT 1',
    [stream, type, causedBy],
  );
  return rowCount === 1;
}
