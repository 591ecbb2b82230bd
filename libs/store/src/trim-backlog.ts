/** Rows that wait for a receiver, of which there may be so many at most. Both tables have `id`, which grows, and `receiver`. */
import type { Database } from './database.js';

export type BacklogTable = 'notification' | 'security_event';

/** Takes away the oldest above the bound. @returns what is left, and how many went */
export async function trimBacklogOf(
  db: Database,
  table: BacklogTable,
  receiver: string,
  max: number,
): Promise<{ waiting: number; dropped: number }> {
  const { rowCount: dropped } = await db.pool.query(
    `DELETE FROM ${table} WHERE receiver = $1 AND id <= (
       SELECT id FROM ${table} WHERE receiver = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)`,
    [receiver, max],
  );
  const { rows } = await db.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${table} WHERE receiver = $1`,
    [receiver],
  );
  return { waiting: rows[0]?.n ?? 0, dropped: dropped ?? 0 };
}
