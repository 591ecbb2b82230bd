import type { Tx } from '#store/database.js';
import type { StoredEntry } from '../log/entries.js';

export interface TaskEntry extends StoredEntry {
  topic: string;
  appendedAtMs: number;
}

/** Steps of one story, at most, and the bytes of their leaves: anybody who is authenticated can add to both. */
const MAX_STEPS = 2_000;
const MAX_BYTES = 8 * 2 ** 20;
/** What was refused is told under the task that it claimed to be about: it must not crowd out what was not. */
const MAX_REJECTIONS = 100;
/** A task has one declaration that counts, among the first. */
const MAX_DECLARATIONS = 16;
/** Words of people, with their reason. Only services of ours write them. */
const WORDS: readonly string[] = ['task.suspended', 'task.resumed', 'task.revoked', 'revocation.ordered'];
const MAX_WORDS = 100;

export interface TaskEntries {
  entries: TaskEntry[];
  /** Entries whose payload a story opens, for the purpose in it. */
  declarations: bigint[];
  /** And those that it opens for the reason in them. */
  words: bigint[];
  /** There are more entries. */
  truncated: boolean;
}

/**
 * The first admitted entries of a task in the order of the log, without the record of who read about it.
 * @param size of the tree that they are in; without it, all that there are
 */
export async function readTaskEntries(
  db: Pick<Tx, 'query'>,
  taskId: string,
  size: bigint | null = null,
): Promise<TaskEntries> {
  const { rows } = await db.query<TaskEntry & { type: string; total: number }>(
    `WITH told AS (
       SELECT seq, total FROM (
         SELECT seq, type, count(*) OVER ()::float8 AS total, row_number() OVER (PARTITION BY type ORDER BY seq) AS nth
           FROM entry WHERE task_id = $1 AND admitted AND type IS DISTINCT FROM 'access.read' AND ($5::bigint IS NULL OR seq < $5)) AS ours
        WHERE type IS DISTINCT FROM 'event.rejected' OR nth <= $4 ORDER BY seq LIMIT $2)
     SELECT * FROM (
       SELECT seq, leaf, leaf_hash AS "leafHash", topic, appended_at_ms::float8 AS "appendedAtMs", type, total,
              sum(octet_length(leaf)) OVER (ORDER BY seq) AS bytes
         FROM told JOIN entry USING (seq)) AS measured
      WHERE bytes <= $3 ORDER BY seq`,
    [taskId, MAX_STEPS, MAX_BYTES, MAX_REJECTIONS, size],
  );
  const firstOf = (types: readonly string[], max: number) =>
    rows
      .filter((row) => types.includes(row.type))
      .slice(0, max)
      .map((row) => row.seq);
  return {
    entries: rows,
    declarations: firstOf(['task.started'], MAX_DECLARATIONS),
    words: firstOf(WORDS, MAX_WORDS),
    truncated: (rows[0]?.total ?? 0) > rows.length,
  };
}
