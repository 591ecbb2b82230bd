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
  /** Its place in the line of those that are due and not taken, or null. */
  turnAtMs: number | null;
}

/** A lease in the hand of a worker. */
export type Workload = DoomedLease & {
  plan: LeasePlan;
  /** That of its task, or empty. */
  tenant: string;
  /** Its place in the line of those that are due, for who has to let it go before it is begun; null where it never stood there. */
  turnAtMs: number | null;
};

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
    // Materialized: each is looked up by its id. Otherwise an index of all known leases looks as good while there are few.
    text: `WITH under AS MATERIALIZED (
             SELECT lease_id, state, body FROM lease
              WHERE lease_id = ANY(ARRAY(SELECT lease_id FROM lease_lineage WHERE task_id = ANY($1::text[]))))
           SELECT body FROM under WHERE state = 'known' ORDER BY lease_id`,
    values: [taskIds],
  });
  return bodies(rows);
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
