/** Targets as rows: which life of theirs was seen last, and whose turn it is to look at them. */
import type pg from 'pg';
import type { Database, Tx } from '#store/database.js';

/** What is done at a target again and again. */
export type Chore = 'sweep' | 'survey';

const at = (ms: number) => new Date(ms).toISOString();

/** Each target has a row from here on, and is looked at as soon as somebody has time for it. */
export async function knowTargets(db: Database, targets: readonly string[], nowMs: number): Promise<void> {
  await db.pool.query(
    `INSERT INTO target (target, sweep_at, survey_at) SELECT t, $2, $2 FROM unnest($1::text[]) AS t
     ON CONFLICT (target) DO UPDATE SET sweep_at = $2, survey_at = $2`,
    [targets, at(nowMs)],
  );
}

/** Of targets that are configured no more. What was found there stays with their standing access, which is not shown without them. */
export async function forgetTargets(db: Database, configured: readonly string[]): Promise<void> {
  await db.pool.query('DELETE FROM target WHERE target <> ALL($1::text[])', [configured]);
}

/** @returns null where it is not time yet, or another process was faster; else whether the sweep is to be a deep one. */
export async function takeSweep(
  db: Database,
  target: string,
  nowMs: number,
  againAtMs: number,
): Promise<{ deep: boolean; incarnation: string | null } | null> {
  const { rows } = await db.pool.query<{ deep: boolean; incarnation: string | null }>({
    name: 'take-sweep',
    text: `UPDATE target SET sweep_at = $3 WHERE target = $1 AND sweep_at <= $2
           RETURNING sweep_deep AS deep, incarnation`,
    values: [target, at(nowMs), at(againAtMs)],
  });
  return rows[0] ?? null;
}

/** A restart in the meantime asks for another deep one. */
export async function sweptTarget(
  db: Database,
  target: string,
  incarnation: string | null,
  nowMs: number,
): Promise<void> {
  await db.pool.query(
    `UPDATE target SET swept_at = $3, sweep_deep = sweep_deep AND incarnation IS DISTINCT FROM $2 WHERE target = $1`,
    [target, incarnation, at(nowMs)],
  );
}

export async function takeSurvey(
  db: Database,
  target: string,
  nowMs: number,
  againAtMs: number,
): Promise<boolean> {
  const { rowCount } = await db.pool.query({
    name: 'take-survey',
    text: 'UPDATE target SET survey_at = $3 WHERE target = $1 AND survey_at <= $2',
    values: [target, at(nowMs), at(againAtMs)],
  });
  return rowCount === 1;
}

/** @param failed a code, where it came to nothing */
export async function surveyedTarget(
  tx: pg.Pool | Tx,
  target: string,
  failed: string | null,
  nowMs: number,
): Promise<void> {
  await tx.query(
    `UPDATE target SET survey_failed = $2, surveyed_at = CASE WHEN $2::text IS NULL THEN $3 ELSE surveyed_at END
      WHERE target = $1`,
    [target, failed, at(nowMs)],
  );
}

/** Does it again soon. */
export async function hurry(
  db: Database,
  chore: Chore,
  targets: readonly string[],
  atMs: number,
): Promise<void> {
  await db.pool.query(
    `UPDATE target SET ${chore}_at = least(${chore}_at, $2::timestamptz) WHERE target = ANY($1::text[])`,
    [targets, at(atMs)],
  );
}

/** Notes in which life a target was seen; where that is another one than before, everything there is looked at. @returns the one before */
export async function noteIncarnation(
  tx: Tx,
  target: string,
  incarnation: string,
  nowMs: number,
): Promise<string | null> {
  const { rows } = await tx.query<{ previous: string | null }>(
    'SELECT incarnation AS previous FROM target WHERE target = $1 FOR UPDATE',
    [target],
  );
  const [row] = rows;
  if (row === undefined || row.previous === incarnation) return null;
  await tx.query(
    `UPDATE target SET incarnation = $2, sweep_deep = sweep_deep OR $4,
            sweep_at = CASE WHEN $4 THEN $3::timestamptz ELSE sweep_at END WHERE target = $1`,
    [target, incarnation, at(nowMs), row.previous !== null],
  );
  return row.previous;
}
