/** Tasks as rows. Whoever writes about a task holds its row lock; rows are locked in id order, ancestors with them. */
import { unknownTask, type Task } from '#events/task.js';
import type { Tx } from '#store/database.js';
import type { Write } from '#store/writes.js';
import { readTask, TASK_SHAPE } from './task-stream.js';

/**
 * Locks these tasks and all their ancestors for the rest of the transaction. A task without a row is left out.
 * Ancestors never change once a task is accepted, so they may be read before they are locked.
 */
export const lockTasks = (tx: Tx, taskIds: readonly string[]): Promise<Map<string, Task>> =>
  select(tx, taskIds, { name: 'lock-tasks', text: `${WITH_ANCESTORS} FOR UPDATE` });

/** The same without a lock, for what only looks. */
export const readTasks = (tx: Tx, taskIds: readonly string[]): Promise<Map<string, Task>> =>
  select(tx, taskIds, { name: 'read-tasks', text: WITH_ANCESTORS });

/** One array for the index: an `OR` with a subquery would read every task there is. */
const WITH_ANCESTORS = `SELECT task_id, state, shape FROM task
      WHERE task_id = ANY($1::text[] || ARRAY(SELECT unnest(ancestors) FROM task WHERE task_id = ANY($1::text[])))
      ORDER BY task_id`;

async function select(
  tx: Tx,
  taskIds: readonly string[],
  statement: { name: string; text: string },
): Promise<Map<string, Task>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await tx.query<{ task_id: string; state: Task | null; shape: number }>({
    ...statement,
    values: [taskIds],
  });
  const tasks = new Map(rows.map(({ task_id, state }) => [task_id, state ?? unknownTask(task_id)]));
  // Of another release: what such a row lacks, or means otherwise, its stream tells.
  for (const { task_id, state, shape } of rows)
    if (state !== null && shape !== TASK_SHAPE) tasks.set(task_id, await readTask(tx, task_id));
  return tasks;
}

/** Makes rows for tasks not heard of before, so that there is something to lock. */
export async function ensureTasks(tx: Tx, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await tx.query({
    name: 'ensure-tasks',
    text: `INSERT INTO task (task_id) SELECT id FROM unnest($1::text[]) AS t(id) ORDER BY id ON CONFLICT (task_id) DO NOTHING`,
    values: [[...new Set(taskIds)]],
  });
}

export function tasksWrite(tasks: readonly Task[]): Write | null {
  if (tasks.length === 0) return null;
  const deadlineOf = ({ declaration }: Task) =>
    declaration === null ? null : new Date(declaration.deadlineMs).toISOString();
  return {
    sql: `UPDATE task SET version = n.version, status = n.status, deadline_at = n.deadline_at, state = n.state, shape = ${TASK_SHAPE},
            ancestors = ARRAY(SELECT jsonb_array_elements_text(n.ancestors))
       FROM ROWS FROM (unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[]), jsonb_array_elements($5::jsonb), jsonb_array_elements($6::jsonb))
              AS n(task_id, version, status, deadline_at, state, ancestors)
      WHERE task.task_id = n.task_id`,
    values: [
      tasks.map((t) => t.taskId),
      tasks.map((t) => t.version),
      tasks.map((t) => t.status),
      tasks.map(deadlineOf),
      JSON.stringify(tasks),
      JSON.stringify(tasks.map((t) => t.declaration?.ancestors ?? [])),
    ],
  };
}

/** Who acted in a task that is over is counted no more: what a call costs must not grow with the tasks there have been. */
export function endedWrite(tasks: readonly Task[]): Write | null {
  const ended = tasks.filter(({ status }) => status === 'ended').map(({ taskId }) => taskId);
  if (ended.length === 0) return null;
  return { sql: 'DELETE FROM task_sender WHERE task_id = ANY($1::text[])', values: [ended] };
}

export function pinsWrite(pins: readonly { sender: string; taskId: string }[]): Write | null {
  if (pins.length === 0) return null;
  return {
    sql: `INSERT INTO task_sender (sender, task_id) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`,
    values: [pins.map((p) => p.sender), pins.map((p) => p.taskId)],
  };
}

/** Tasks, suspended ones too, whose deadline has passed by the database's clock. */
export async function overdueTasks(tx: Tx, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ task_id: string }>(
    `SELECT task_id FROM task WHERE status IN ('open', 'suspended') AND deadline_at <= clock_timestamp()
      ORDER BY deadline_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => row.task_id);
}

/** Tasks, suspended ones too, of which an ancestor has ended. */
export async function tasksOutlivingAncestors(tx: Tx, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ task_id: string }>(
    `SELECT c.task_id FROM task c
      WHERE c.status IN ('open', 'suspended') AND c.ancestors <> '{}'
        AND EXISTS (SELECT 1 FROM task p WHERE p.task_id = ANY(c.ancestors) AND p.status = 'ended')
      ORDER BY c.task_id LIMIT $1`,
    [limit],
  );
  return rows.map((row) => row.task_id);
}

/** Every task that is not over. */
export async function openTasks(tx: Tx): Promise<string[]> {
  const { rows } = await tx.query<{ task_id: string }>(
    `SELECT task_id FROM task WHERE status IN ('open', 'suspended') ORDER BY task_id`,
  );
  return rows.map((row) => row.task_id);
}
