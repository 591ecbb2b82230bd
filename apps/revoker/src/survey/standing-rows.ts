/** Standing access as rows, and targets as they were surveyed. */
import type pg from 'pg';
import type { KnownStanding, Surveyed } from '#events/standing-access.js';
import type { Database, Tx } from '#store/database.js';

/** Locked by the row of their target. */
export async function readStanding(tx: pg.Pool | Tx, target: string): Promise<Map<string, KnownStanding>> {
  const { rows } = await tx.query<KnownStanding>(
    `SELECT access, counts, (extract(epoch FROM found_at) * 1000)::float8 AS "foundAtMs"
       FROM standing_access WHERE target = $1`,
    [target],
  );
  return new Map(rows.map((row) => [row.access.principal, row]));
}

/** One survey after the other. */
export async function lockTarget(tx: Tx, target: string): Promise<void> {
  await tx.query('SELECT FROM target WHERE target = $1 FOR UPDATE', [target]);
}

export async function saveStanding(tx: Tx, target: string, { keep, drop }: Surveyed): Promise<void> {
  if (drop.length > 0)
    await tx.query('DELETE FROM standing_access WHERE target = $1 AND principal = ANY($2::text[])', [
      target,
      drop,
    ]);
  if (keep.length > 0)
    await tx.query(
      `INSERT INTO standing_access (target, principal, counts, found_at, access)
         SELECT $1, * FROM unnest($2::text[], $3::boolean[], $4::timestamptz[], $5::jsonb[])
       ON CONFLICT (target, principal) DO UPDATE SET counts = excluded.counts, access = excluded.access`,
      [
        target,
        keep.map(({ access }) => access.principal),
        keep.map(({ counts }) => counts),
        keep.map(({ foundAtMs }) => new Date(foundAtMs).toISOString()),
        keep.map(({ access }) => JSON.stringify(access)),
      ],
    );
}

export interface SurveyState {
  target: string;
  surveyedAtMs: number | null;
  /** A code: the last survey came to nothing. */
  failed: string | null;
}

export async function readSurveys(db: Database, targets: readonly string[]): Promise<SurveyState[]> {
  const { rows } = await db.pool.query<SurveyState>(
    `SELECT target, (extract(epoch FROM surveyed_at) * 1000)::float8 AS "surveyedAtMs", survey_failed AS failed
       FROM target WHERE target = ANY($1::text[])`,
    [targets],
  );
  return rows;
}
