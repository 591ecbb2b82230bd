/** Leases as rows. Their state changes only under the row lock of their task; who works on one only by its own row. */
import type { DoomedLease, LeasePlan, RevokerLease } from '#events/revocation.js';
import type { Tx } from '#store/database.js';

/** A claim that is not used by then is anybody's again. */
export const CLAIM_LAPSES_MS = 5_000;

/** A lease with what is to happen to its row. */
export interface LeaseChange {
  lease: RevokerLease;
  /** Null: as it was, and for a state that is not worked on, never. */
  actAtMs: number | null;
  /** The instance that works on it from this commit on, or null. */
  takenBy: string | null;
}

/** A lease in the hand of a worker. */
export type Workload = DoomedLease & { plan: LeasePlan };

const bodies = (rows: readonly { body: RevokerLease }[]) => rows.map((row) => row.body);

/** Requires the row locks of their tasks. */
export async function readLeases(tx: Tx, leaseIds: readonly string[]): Promise<RevokerLease[]> {
  if (leaseIds.length === 0) return [];
  const { rows } = await tx.query<{ body: RevokerLease }>({
    name: 'read-leases',
    text: 'SELECT body FROM lease WHERE lease_id = ANY($1::text[])',
    values: [leaseIds],
  });
  return bodies(rows);
}

/** Known leases of these tasks and of all their descendants. Requires the row locks of these tasks. */
export async function readKnownUnder(tx: Tx, taskIds: readonly string[]): Promise<RevokerLease[]> {
  if (taskIds.length === 0) return [];
  const { rows } = await tx.query<{ body: RevokerLease }>({
    name: 'read-known-under',
    text: `SELECT body FROM lease WHERE state = 'known' AND lease_id IN (
             SELECT lease_id FROM lease_lineage WHERE task_id = ANY($1::text[]))
            ORDER BY lease_id`,
    values: [taskIds],
  });
  return bodies(rows);
}

const stamp = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export async function saveLeases(tx: Tx, changes: readonly LeaseChange[]): Promise<void> {
  if (changes.length === 0) return;
  const leases = changes.map((change) => change.lease);
  await tx.query({
    name: 'save-leases',
    text: `INSERT INTO lease AS l (lease_id, task_id, target, state, not_after, act_at, taken_by, body)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                                  $7::text[], $8::jsonb[])
             ON CONFLICT (lease_id) DO UPDATE SET
               target = excluded.target, state = excluded.state, not_after = excluded.not_after, body = excluded.body,
               act_at = CASE WHEN excluded.state IN ('due', 'cut') THEN coalesce(excluded.act_at, l.act_at) END,
               taken_by = CASE WHEN excluded.act_at IS NULL AND excluded.state IN ('due', 'cut') THEN l.taken_by
                               ELSE excluded.taken_by END`,
    values: [
      leases.map((lease) => lease.leaseId),
      leases.map((lease) => lease.taskId),
      leases.map((lease) => lease.plan?.target ?? null),
      leases.map((lease) => lease.state),
      leases.map((lease) => lease.plan?.notAfter ?? null),
      changes.map((change) =>
        stamp(change.takenBy === null ? change.actAtMs : (change.actAtMs ?? 0) + CLAIM_LAPSES_MS),
      ),
      changes.map((change) => change.takenBy),
      leases.map((lease) => JSON.stringify(lease)),
    ],
  });
}

/** Once its intent, or its outcome, is first heard. */
export async function saveLineage(tx: Tx, leases: readonly RevokerLease[]): Promise<void> {
  const links = leases.flatMap(({ leaseId, lineage }) => lineage.map((link) => ({ leaseId, ...link })));
  if (links.length === 0) return;
  await tx.query({
    name: 'save-lineage',
    text: `INSERT INTO lease_lineage (task_id, lease_id, generation)
             SELECT * FROM unnest($1::text[], $2::text[], $3::int[]) ON CONFLICT DO NOTHING`,
    values: [
      links.map((link) => link.taskId),
      links.map((link) => link.leaseId),
      links.map((link) => link.generation),
    ],
  });
}
