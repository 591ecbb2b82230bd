/** Watched tasks as rows. Whoever writes about a task or a lease of it holds the task's row lock; rows are locked in id order. */
import type { Tx } from '#store/database.js';
import { unwatchedTask, type WatchedTask } from './watched-task.js';

/**
 * Locks these tasks, and those whose known leases hang on a task of `ending`, for the rest of the transaction. A task of `ensure`
 * that was not heard of before gets a row, so that there is something to lock; any other without a row is left out.
 */
export async function lockTasks(
  tx: Tx,
  ensure: readonly string[],
  others: readonly string[],
  ending: readonly string[],
): Promise<Map<string, WatchedTask>> {
  const [, tasks] = await Promise.all([
    ensureTasks(tx, [...new Set(ensure)].sort()),
    lock(tx, [...ensure, ...others], ending),
  ]);
  return tasks;
}

async function ensureTasks(tx: Tx, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await tx.query({
    name: 'ensure-tasks',
    text: 'INSERT INTO task (task_id) SELECT * FROM unnest($1::text[]) ON CONFLICT (task_id) DO NOTHING',
    values: [taskIds],
  });
}

async function lock(
  tx: Tx,
  taskIds: readonly string[],
  ending: readonly string[],
): Promise<Map<string, WatchedTask>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await tx.query<Row>({
    name: 'lock-tasks',
    // One array for the index: an `OR` with a subquery would read every task there is.
    text: `SELECT task_id, state FROM task
            WHERE task_id = ANY($1::text[] || ARRAY(
              SELECT (SELECT task_id FROM lease l WHERE l.lease_id = a.lease_id AND l.state = 'known')
                FROM lease_lineage a WHERE a.task_id = ANY($2::text[])))
            ORDER BY task_id FOR UPDATE`,
    values: [taskIds, ending],
  });
  return byId(rows);
}

/** Locks those of these tasks that nobody else is at work on. */
export async function lockIdleTasks(tx: Tx, taskIds: readonly string[]): Promise<Map<string, WatchedTask>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await tx.query<Row>(
    'SELECT task_id, state FROM task WHERE task_id = ANY($1::text[]) ORDER BY task_id FOR UPDATE SKIP LOCKED',
    [taskIds],
  );
  return byId(rows);
}

/** Those of the tasks that an agent may end, by any start that may count yet. */
export async function tasksAgentsMayEnd(tx: Tx, taskIds: readonly string[]): Promise<Set<string>> {
  if (taskIds.length === 0) return new Set();
  const { rows } = await tx.query<{ task_id: string }>({
    name: 'tasks-agents-may-end',
    text: `SELECT task_id FROM task
            WHERE task_id = ANY($1::text[])
              AND (state @? '$.accepted.agentsMayEnd ? (@ == true)' OR state @? '$.starts[*].agentsMayEnd ? (@ == true)')`,
    values: [taskIds],
  });
  return new Set(rows.map(({ task_id }) => task_id));
}

interface Row {
  task_id: string;
  state: WatchedTask | null;
}

const byId = (rows: readonly Row[]): Map<string, WatchedTask> =>
  new Map(rows.map(({ task_id, state }) => [task_id, state ?? unwatchedTask(task_id)]));
