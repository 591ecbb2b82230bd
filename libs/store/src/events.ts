/** The append-only streams. A stream is one task; its version is the number of events in it. */
import type { Tx } from './database.js';

export interface StoredEvent {
  stream: string;
  version: number;
  type: string;
  data: object;
  ceId: string;
  causedBy?: string;
}

export class ConcurrencyError extends Error {
  override readonly name = 'ConcurrencyError';
  readonly code = 'ERR_VERSION_TAKEN';
}

/** @throws ConcurrencyError when a version of a stream is already there: load again, decide again. */
export async function appendEvents(tx: Tx, events: readonly StoredEvent[]): Promise<void> {
  if (events.length === 0) return;
  try {
    await tx.query(
      `INSERT INTO event (stream, version, type, data, ce_id, caused_by)
         SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::jsonb[], $5::text[], $6::text[])`,
      [
        events.map((e) => e.stream),
        events.map((e) => e.version),
        events.map((e) => e.type),
        events.map((e) => JSON.stringify(e.data)),
        events.map((e) => e.ceId),
        events.map((e) => e.causedBy ?? null),
      ],
    );
  } catch (error) {
    if ((error as { code?: string }).code === '23505')
      throw new ConcurrencyError('a version of a stream is taken', { cause: error });
    throw error;
  }
}

export async function readStream(tx: Tx, stream: string): Promise<StoredEvent[]> {
  const { rows } = await tx.query<StoredEvent>(
    `SELECT stream, version, type, data, ce_id AS "ceId", caused_by AS "causedBy"
       FROM event WHERE stream = $1 ORDER BY version`,
    [stream],
  );
  return rows;
}
