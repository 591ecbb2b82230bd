/** What is to be seen of a task's drift: its row, and the table of its stream. What it costs grows with the task, up to a limit. */
import { DRIFT_EVENTS, driftTable, type DriftEvent, type DriftTable } from '#events/drift-table.js';
import type { Task } from '#events/task.js';
import type { Tx } from '#store/database.js';
import { readLast } from '#store/events.js';
import { brokerUpcasts } from './upcasts.js';

/** Of a stream, the newest: a third of it or so are calls. Score and signals are those of the whole task. */
export const EVENTS_COUNTED_MAX = 5_000;

export interface DriftView {
  task: Task;
  table: DriftTable;
  /** `complete`: there are no events before these. */
  counted: { events: number; complete: boolean };
}

/** Takes no lock. */
export async function readDriftView(
  tx: Tx,
  task: Task,
  eventsMax: number = EVENTS_COUNTED_MAX,
): Promise<DriftView> {
  const read = await readLast(
    tx,
    { stream: task.taskId, types: DRIFT_EVENTS, limit: eventsMax + 1 },
    brokerUpcasts,
  );
  const counted = read.slice(-eventsMax).map(({ type, data }) => ({ type, data }) as DriftEvent);
  return {
    task,
    table: driftTable({ declared: task.declaration?.declared ?? [] }, counted),
    counted: { events: counted.length, complete: read.length <= eventsMax },
  };
}
