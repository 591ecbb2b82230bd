/**
 * A task as its stream tells it. The row kept beside the stream says the same (docs/adr/0010): it is the snapshot, and the
 * stream is read only where the row is of another shape than this release's, and to verify it.
 */
import { isDeepStrictEqual } from 'node:util';
import { evolve, unknownTask, type Task } from '#events/task.js';
import { unreachable } from '#events/unreachable.js';
import type { Tx } from '#store/database.js';
import { readStream, type StoredEvent } from '#store/events.js';
import { brokerUpcasts, type StreamEvent } from './upcasts.js';

/** Of `Task` as it is stored in a row. MUST grow when `Task` or `evolve` changes: rows of other shapes are folded anew. */
export const TASK_SHAPE = 5;

/** Total over what may be in a stream. Leases and approvals have rows of their own; of a task they change only the number of events. */
export function applyEvent(task: Task, event: StreamEvent): Task {
  switch (event.type) {
    case 'task.accepted':
    case 'task.amended':
    case 'task.suspended':
    case 'task.resumed':
    case 'task.revoked':
    case 'task.ended':
    case 'task.end_heard_early':
    case 'task.usage_reported':
    case 'task.grant_unused':
    case 'call.decided':
    case 'drift.signalled':
      return evolve(task, event);
    case 'approval.requested':
    case 'approval.granted':
    case 'approval.refused':
    case 'approval.expired':
    case 'approval.consumed':
    case 'approval.withdrawn':
    case 'break_glass.used':
    case 'lease.intended':
    case 'lease.issued':
    case 'lease.abandoned':
    case 'lease.renewed':
    case 'lease.renewal_refused':
    case 'lease.revocation_requested':
      return { ...task, version: task.version + 1 };
    default:
      return unreachable(event);
  }
}

/** Requires a whole stream, lifted to today's shape (`readStream`). */
export const foldTask = (taskId: string, events: readonly StoredEvent[]): Task =>
  events.reduce(
    (task, { type, data }) => applyEvent(task, { type, data } as StreamEvent),
    unknownTask(taskId),
  );

/** The task as its stream tells it, whatever its row says. @throws UpcastError for an event that is not known here */
export async function readTask(tx: Tx, taskId: string): Promise<Task> {
  return foldTask(taskId, await readStream(tx, taskId, brokerUpcasts));
}

export type Verified = { same: true; version: number } | { same: false; row: Task | null; folded: Task };

/**
 * Whether the row says what the stream says. Waits for whoever writes about the task.
 * @returns null for a task that has no row. @throws UpcastError
 */
export async function verifyTask(tx: Tx, taskId: string): Promise<Verified | null> {
  const { rows } = await tx.query<{ state: Task | null; version: number; status: string }>(
    'SELECT state, version, status FROM task WHERE task_id = $1 FOR SHARE',
    [taskId],
  );
  const [row] = rows;
  if (row === undefined) return null;
  // As JSON, which is how the row has it.
  const folded = JSON.parse(JSON.stringify(await readTask(tx, taskId))) as Task;
  const same =
    isDeepStrictEqual(row.state ?? unknownTask(taskId), folded) &&
    row.version === folded.version &&
    row.status === folded.status;
  return same ? { same, version: folded.version } : { same, row: row.state, folded };
}
