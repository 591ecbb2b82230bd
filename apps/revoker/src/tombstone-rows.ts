/** Ends, remembered (protocol rule 5). Written and read under the row lock of their task. */
import type { Tombstone } from '#events/revocation.js';
import type { Tx } from '#store/database.js';

export async function readTombstones(tx: Tx, taskIds: readonly string[]): Promise<Tombstone[]> {
  if (taskIds.length === 0) return [];
  const { rows } = await tx.query<Tombstone>({
    name: 'read-tombstones',
    text: `SELECT task_id AS "taskId", generation_below AS "generationBelow", cause, caused_by AS "causedBy"
             FROM tombstone WHERE task_id = ANY($1::text[]) ORDER BY id`,
    values: [taskIds],
  });
  return rows;
}

/** Forgets the ends of whole tasks: they were said by somebody who may not say so. */
export async function withdrawTombstones(tx: Tx, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await tx.query('DELETE FROM tombstone WHERE task_id = ANY($1::text[]) AND generation_below IS NULL', [
    taskIds,
  ]);
}
