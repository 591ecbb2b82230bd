/** How far a task has drifted, as it is shown. */
import type { DriftView } from '../../drift-view.js';

export function driftDocument({ task, table, counted }: DriftView) {
  const { taskId, status: state, generation, suspendedFor, drift } = task;
  return {
    ...{ taskId, state, generation, suspendedFor },
    score: drift?.score ?? 0,
    signals: drift?.signals ?? [],
    ...{ rows: table.rows, unattributed: table.unattributed, counted },
  };
}
