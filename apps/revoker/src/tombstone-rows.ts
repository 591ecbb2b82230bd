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

/** The highest generation heard of: what the broker counts on from there was decided after it heard of this. */
export async function highestGeneration(tx: Tx, taskId: string): Promise<number> {
  const { rows } = await tx.query<{ generation: number }>(
    `SELECT greatest(1, (SELECT max(generation) FROM lease_lineage WHERE task_id = $1),
                        (SELECT max(generation_below) FROM tombstone WHERE task_id = $1)) AS generation`,
    [taskId],
  );
  return rows[0]?.generation ?? 1;
}
