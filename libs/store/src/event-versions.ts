/**
 * Which versions of events may be in the streams of a database: every release says so when it starts. An earlier one, put back
 * after an upgrade, refuses to run where it could not read a stream, rather than find out in the middle of a decision.
 */
import { transact, type Database } from './database.js';
import { UpcastError, writtenIn, type Upcasts } from './upcast.js';

/** @throws UpcastError for an event that a later release has written; then nothing is changed. */
export async function claimEventVersions(db: Database, upcasts: Upcasts): Promise<void> {
  const types = Object.keys(upcasts);
  await transact(db, async (tx) => {
    const { rows: claimed } = await tx.query<{ type: string; version: number }>(
      'SELECT type, version FROM event_version ORDER BY type FOR UPDATE',
    );
    for (const { type, version } of claimed) {
      const known = types.includes(type) ? writtenIn(upcasts, type) : 0;
      if (version <= known) continue;
      // Whoever claimed more may have written nothing yet. Reads all events, once, and only after a step back.
      const { rows } = await tx.query<UpcastError['fields']>(
        `SELECT stream, version, type, schema_version AS "schemaVersion" FROM event
          WHERE type = $1 AND schema_version > $2 LIMIT 1`,
        [type, known],
      );
      const [later] = rows;
      if (later !== undefined)
        throw new UpcastError(known === 0 ? 'ERR_EVENT_TYPE_UNKNOWN' : 'ERR_EVENT_VERSION_UNKNOWN', later);
    }
    await tx.query(
      `INSERT INTO event_version AS e (type, version) SELECT * FROM unnest($1::text[], $2::int[])
         ON CONFLICT (type) DO UPDATE SET version = excluded.version WHERE e.version < excluded.version`,
      [types, types.map((type) => writtenIn(upcasts, type))],
    );
  });
}
