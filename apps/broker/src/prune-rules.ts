/**
 * What the broker keeps, and for how long. Nothing of a task that is open or suspended goes, nor anything of a lease that is not
 * decided. By the time a task's row goes its deadline is long past, so that no start of it can be accepted again.
 */
import type { Retention } from '#config/retention.js';
import type { Tx } from '#store/database.js';
import { inboxRule, settledRule, type PruneRule } from '#store/prune.js';
import { GIVEN_UP_AFTER_MS } from './notifications/notification-rows.js';

const TASKS_AT_ONCE = 100;
/** What a broker takes for good by its own clock is not forgotten by the database's. */
const CLOCKS_MS = 300_000;

export const brokerRules = ({ inboxMs, endedMs, streamMs, decisionInputMs }: Retention): PruneRule[] => [
  inboxRule(inboxMs),
  settledRule(inboxMs),
  { name: 'calls', keepMs: endedMs, batch: TASKS_AT_ONCE, take: takeCalls },
  { name: 'ended_tasks', keepMs: streamMs, batch: TASKS_AT_ONCE, take: takeEndedTasks },
  // As long as a start may be read of what was only heard to end.
  { name: 'unknown_tasks', keepMs: inboxMs, batch: TASKS_AT_ONCE, take: takeUnknownTasks },
  { name: 'decision_inputs', keepMs: decisionInputMs, batch: 500, take: takeDecisionInputs },
  { name: 'notifications', keepMs: GIVEN_UP_AFTER_MS + CLOCKS_MS, batch: 1_000, take: takeNotifications },
  { name: 'used_proofs', keepMs: CLOCKS_MS, batch: 1_000, take: expiredOf('used_proof') },
  { name: 'client_assertions', keepMs: CLOCKS_MS, batch: 1_000, take: expiredOf('client_assertion') },
];

/** No lease of a task outlives its deadline (`hardEnd` in `decideCall`), and none was left undecided. */
async function takeCalls(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const taskIds = await lockedTasks(
    tx,
    `status = 'ended' AND NOT calls_gone AND deadline_at < now() - $1 * interval '1 millisecond'
       AND NOT EXISTS (SELECT FROM lease WHERE lease.task_id = task.task_id AND lease.state = 'intended')
     ORDER BY deadline_at`,
    keepMs,
    batch,
  );
  if (taskIds.length === 0) return 0;
  // Each condition on the state is that of an index.
  await tx.query(
    `WITH abandoned AS (DELETE FROM lease WHERE task_id = ANY($1::text[]) AND state = 'abandoned'),
          issued AS (DELETE FROM lease WHERE task_id = ANY($1::text[]) AND state <> 'abandoned'),
          renewals AS (DELETE FROM renewal WHERE task_id = ANY($1::text[])),
          calls AS (DELETE FROM call WHERE task_id = ANY($1::text[])),
          approvals AS (DELETE FROM approval WHERE task_id = ANY($1::text[])),
          uses AS (DELETE FROM approval_use WHERE task_id = ANY($1::text[])),
          senders AS (DELETE FROM task_sender WHERE task_id = ANY($1::text[]))
     UPDATE task SET calls_gone = true WHERE task_id = ANY($1::text[])`,
    [taskIds],
  );
  return taskIds.length;
}

async function takeEndedTasks(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const over = `status = 'ended' AND calls_gone AND deadline_at < now() - $1 * interval '1 millisecond'
                ORDER BY deadline_at`;
  return await dropTasks(tx, await lockedTasks(tx, over, keepMs, batch));
}

/** Refused starts, and ends of tasks that were never started. */
async function takeUnknownTasks(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const over = `status = 'unknown' AND heard_at < now() - $1 * interval '1 millisecond' ORDER BY heard_at`;
  return await dropTasks(tx, await lockedTasks(tx, over, keepMs, batch));
}

async function lockedTasks(tx: Tx, over: string, keepMs: number, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ task_id: string }>(
    `SELECT task_id FROM task WHERE ${over} LIMIT $2 FOR UPDATE OF task SKIP LOCKED`,
    [keepMs, limit],
  );
  return rows.map((row) => row.task_id);
}

/**
 * Row and stream together, so that no stream is ever there in part. Requires the row locks of the tasks: what was appended
 * before they were held is seen by these statements, which come after.
 */
async function dropTasks(tx: Tx, taskIds: readonly string[]): Promise<number> {
  if (taskIds.length === 0) return 0;
  await tx.query('DELETE FROM event WHERE stream = ANY($1::text[])', [taskIds]);
  await tx.query('DELETE FROM task WHERE task_id = ANY($1::text[])', [taskIds]);
  return taskIds.length;
}

async function takeDecisionInputs(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM decision_input WHERE digest = ANY(ARRAY(
       SELECT digest FROM decision_input WHERE kept_at < now() - $1 * interval '1 millisecond'
        ORDER BY kept_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [keepMs, batch],
  );
  return rowCount ?? 0;
}

/** Of receivers that no broker looks after any more: the others' are given up before. */
async function takeNotifications(tx: Tx, keepMs: number, batch: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM notification WHERE id = ANY(ARRAY(
       SELECT id FROM notification WHERE told_at < now() - $1 * interval '1 millisecond'
        ORDER BY told_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    [keepMs, batch],
  );
  return rowCount ?? 0;
}

const expiredOf =
  (table: 'used_proof' | 'client_assertion') =>
  async (tx: Tx, keepMs: number, batch: number): Promise<number> => {
    const { rowCount } = await tx.query(
      `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM ${table} WHERE expires_at < now() - $1 * interval '1 millisecond'
          ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [keepMs, batch],
    );
    return rowCount ?? 0;
  };
