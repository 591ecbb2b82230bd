/** Ends, leases and tasks as one transaction leaves them: one statement, because each one more delays the cut that waits for the commit. */
import type { Tombstone } from '#events/revocation.js';
import type { Tx } from '#store/database.js';
import { CLAIM_LAPSES_MS, type LeaseChange } from './lease-rows.js';
import type { WatchedTask } from './watched-task.js';

export interface RowsToWrite {
  tombstones: readonly Tombstone[];
  leases: readonly LeaseChange[];
  tasks: readonly WatchedTask[];
}

/** Requires the row locks of all tasks concerned. */
export async function writeRows(tx: Tx, { tombstones, leases: changes, tasks }: RowsToWrite): Promise<void> {
  if (tombstones.length + changes.length + tasks.length === 0) return;
  const leases = changes.map((change) => change.lease);
  await tx.query({
    name: 'write-rows',
    text: WRITE,
    values: [
      tombstones.map((tombstone) => tombstone.taskId),
      tombstones.map((tombstone) => tombstone.generationBelow),
      tombstones.map((tombstone) => tombstone.cause),
      tombstones.map((tombstone) => tombstone.causedBy),
      leases.map((lease) => lease.leaseId),
      leases.map((lease) => lease.taskId),
      leases.map((lease) => lease.plan?.target ?? null),
      leases.map((lease) => lease.state),
      leases.map((lease) => lease.plan?.notAfter ?? null),
      changes.map(actAt),
      changes.map((change) => change.takenBy),
      JSON.stringify(leases),
      tasks.map((task) => task.taskId),
      JSON.stringify(tasks),
      changes.map(({ turnAtMs }) => (turnAtMs === null ? null : new Date(turnAtMs).toISOString())),
    ],
  });
}

/** For work that is taken, the moment at which its claim lapses. */
function actAt({ actAtMs, takenBy }: LeaseChange): string | null {
  if (actAtMs === null) return null;
  return new Date(takenBy === null ? actAtMs : actAtMs + CLAIM_LAPSES_MS).toISOString();
}

/** Without a moment, a lease that is worked on stays with whom it is. */
const WRITE = `
WITH ends AS (
  INSERT INTO tombstone (task_id, generation_below, cause, caused_by)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[])
), leases AS (
  INSERT INTO lease AS l (lease_id, task_id, target, state, not_after, act_at, taken_by, body, turn_at)
    SELECT * FROM ROWS FROM (unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[]),
                             jsonb_array_elements($12::jsonb), unnest($15::timestamptz[]))
  ON CONFLICT (lease_id) DO UPDATE SET
    target = excluded.target, state = excluded.state, not_after = excluded.not_after, body = excluded.body,
    act_at = CASE WHEN excluded.state IN ('due', 'cut') THEN coalesce(excluded.act_at, l.act_at) END,
    taken_by = CASE WHEN excluded.act_at IS NULL AND excluded.state IN ('due', 'cut') THEN l.taken_by
                    ELSE excluded.taken_by END,
    turn_at = CASE WHEN excluded.act_at IS NULL AND excluded.state = 'due' THEN l.turn_at ELSE excluded.turn_at END
)
UPDATE task SET state = n.state FROM ROWS FROM (unnest($13::text[]), jsonb_array_elements($14::jsonb)) AS n(task_id, state)
 WHERE task.task_id = n.task_id`;
