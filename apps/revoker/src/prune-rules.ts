/**
 * What the revoker keeps, and for how long: fences and tombstones until hardEnd + 24 h at least (docs/design/protocol.md). A
 * lease that is not removed stays, and so does every task that one of its kind hangs on.
 */
import type { Retention } from '#config/retention.js';
import type { Tx } from '#store/database.js';
import { inboxRule, settledRule, type PruneRule } from '#store/prune.js';

export const revokerRules = ({ inboxMs, endedMs }: Retention): PruneRule[] => [
  inboxRule(inboxMs),
  settledRule(inboxMs),
  { name: 'removed_leases', keepMs: endedMs, batch: 500, take: takeRemovedLeases },
  // An outcome whose intent no topic holds any more: without it nothing can be done, and a sweep finds what is there.
  { name: 'unplanned_leases', keepMs: inboxMs, batch: 500, take: takeUnplannedLeases },
  { name: 'ended_tasks', keepMs: endedMs, batch: 100, take: takeEndedTasks },
  // Starts that the broker never accepted, and ends of such.
  { name: 'unaccepted_tasks', keepMs: inboxMs, batch: 100, take: takeUnacceptedTasks },
  // A lease that an order reaches may be heard of for as long as the topic has it.
  { name: 'proven_orders', keepMs: inboxMs, batch: 100, take: takeProvenOrders },
];

/** Their lineage goes with them. */
async function takeRemovedLeases(tx: Tx, keepMs: number, batch: number): Promise<number> {
  return await takeLeases(
    tx,
    `state = 'removed' AND body->'plan'->>'hardEnd' <
       to_char((now() - $1 * interval '1 millisecond') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
     ORDER BY body->'plan'->>'hardEnd'`,
    keepMs,
    batch,
  );
}

async function takeUnplannedLeases(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const over = `target IS NULL AND heard_at < now() - $1 * interval '1 millisecond' ORDER BY heard_at`;
  return await takeLeases(tx, over, keepMs, batch);
}

async function takeLeases(tx: Tx, over: string, keepMs: number, batch: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM lease WHERE lease_id = ANY(ARRAY(
       SELECT lease_id FROM lease WHERE ${over} LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [keepMs, batch],
  );
  return rowCount ?? 0;
}

async function takeEndedTasks(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const over = 'over_ms < extract(epoch FROM now()) * 1000 - $1';
  return await takeTasks(tx, over, 'over_ms', keepMs, batch);
}

async function takeUnacceptedTasks(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const over = `over_ms IS NULL AND heard_at < now() - $1 * interval '1 millisecond'`;
  return await takeTasks(tx, over, 'heard_at', keepMs, batch);
}

/** Row, tombstones and stream of tasks on which no lease hangs, their own or a descendant's. */
async function takeTasks(tx: Tx, over: string, by: string, keepMs: number, batch: number): Promise<number> {
  const hangsOn = 'EXISTS (SELECT FROM lease_lineage WHERE lease_lineage.task_id = task.task_id)';
  const { rows: locked } = await tx.query<{ task_id: string }>(
    `SELECT task_id FROM task WHERE ${over} AND NOT ${hangsOn} ORDER BY ${by} LIMIT $2
        FOR UPDATE OF task SKIP LOCKED`,
    [keepMs, batch],
  );
  if (locked.length === 0) return 0;
  // Asked once more under the locks: a lease may have been heard of since the statement began.
  const { rows: gone } = await tx.query<{ task_id: string }>(
    `DELETE FROM task WHERE task_id = ANY($1::text[]) AND NOT ${hangsOn} RETURNING task_id`,
    [locked.map((row) => row.task_id)],
  );
  const taskIds = gone.map((row) => row.task_id);
  await tx.query('DELETE FROM tombstone WHERE task_id = ANY($1::text[])', [taskIds]);
  await tx.query('DELETE FROM event WHERE stream = ANY($1::text[])', [taskIds]);
  return locked.length;
}

async function takeProvenOrders(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM revocation_order WHERE order_id = ANY(ARRAY(
       SELECT order_id FROM revocation_order WHERE proven_at < now() - $1 * interval '1 millisecond'
        ORDER BY proven_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [keepMs, batch],
  );
  return rowCount ?? 0;
}
