/** What of a lease's row follows from its task. Pure. */
import type { Row } from './tables.js';

/** @returns the same row where nothing follows anew */
export function derive(lease: Row, task: Row | undefined): Row {
  const principal = task?.principal ?? null;
  const taskEndedAtMs = task?.ended_at_ms ?? null;
  const outlivedMs = outlived(lease, taskEndedAtMs);
  if (
    lease.principal === principal &&
    lease.task_ended_at_ms === taskEndedAtMs &&
    lease.outlived_ms === outlivedMs
  )
    return lease;
  return { ...lease, principal, task_ended_at_ms: taskEndedAtMs, outlived_ms: outlivedMs };
}

/** How long access went on after the task's end: until it was cut, or had run out before. Null as long as nobody can say. */
function outlived({ seq_granted, cut_at_ms, expires_at_ms }: Row, taskEndedAtMs: unknown): number | null {
  if (typeof taskEndedAtMs !== 'number' || typeof seq_granted !== 'number') return null;
  if (typeof cut_at_ms !== 'number') return null;
  const endedAtMs = typeof expires_at_ms === 'number' ? Math.min(cut_at_ms, expires_at_ms) : cut_at_ms;
  return Math.max(0, endedAtMs - taskEndedAtMs);
}
