/** What the auditor counts. */
import { readPosition } from '#projection/turn.js';
import type { Database } from '#store/database.js';
import type { Metrics } from '#telemetry/metrics.js';
import { readHead } from './log/append.js';
import { readCheckpoint } from './log/checkpoints.js';

/** @returns the counter of appended entries. */
export function watchMetrics(
  metrics: Metrics,
  db: Database,
): (appended: readonly { topic: string; admitted: boolean }[]) => void {
  const entries = metrics.counter({
    name: 'audit_entries_total',
    help: 'Entries appended to the log.',
    labels: ['topic', 'admitted'],
  });
  metrics.gauge({
    name: 'audit_log_size',
    help: 'Entries in the log.',
    read: async () => Number((await readHead(db.pool)).size),
  });
  metrics.gauge({
    name: 'audit_log_projected',
    help: 'Entries that projections know.',
    read: async () => Number((await readPosition(db.pool)).next),
  });
  metrics.gauge({
    name: 'audit_checkpoint_age_seconds',
    help: 'Age of the newest checkpoint.',
    read: async () => ((await readCheckpoint(db.pool))?.ageMs ?? 0) / 1_000,
  });
  return (appended) => {
    for (const { topic, admitted } of appended) entries.inc({ topic, admitted: String(admitted) });
  };
}
