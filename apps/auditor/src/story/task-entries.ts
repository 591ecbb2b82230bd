import type { Tx } from '#store/database.js';
import type { StoredEntry } from '../log/entries.js';

export interface TaskEntry extends StoredEntry {
  topic: string;
  appendedAtMs: number;
}

/** Steps of one story, at most. */
const MAX_STEPS = 2_000;

/** The admitted entries of a task in the order of the log, without the record of who read about it. */
export async function readTaskEntries(
  db: Pick<Tx, 'query'>,
  taskId: string,
): Promise<{ entries: TaskEntry[]; truncated: boolean }> {
  const { rows } = await db.query<TaskEntry>(
    `SELECT seq, leaf, leaf_hash AS "leafHash", topic, appended_at_ms::float8 AS "appendedAtMs"
       FROM entry WHERE task_id = $1 AND admitted AND type IS DISTINCT FROM 'access.read' ORDER BY seq LIMIT $2`,
    [taskId, MAX_STEPS + 1],
  );
  return { entries: rows.slice(0, MAX_STEPS), truncated: rows.length > MAX_STEPS };
}
