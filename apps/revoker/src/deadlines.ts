/**
 * Leases whose time is over. The revoker's own clock says so: a cut may be early, a proof may not (rule 12). The timers are
 * rows, so they outlive the process.
 */
import { makeDue, type KnownLease } from '#events/revocation.js';
import { transact } from '#store/database.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';

const BATCH = 200;

export interface Expired extends Flushed {
  /** Nothing more is over at this moment, but for what others are at work on. */
  drained: boolean;
  /** When the next lease is over, if it is soon. */
  nextMs: number | null;
}

const isOver = ({ plan }: KnownLease, nowMs: number): boolean =>
  plan !== null && Date.parse(plan.notAfter) <= nowMs;

/** Makes due what is over, in one transaction. @param soonMs how far to look ahead. */
export async function expireLeases(
  parts: RevokerParts,
  taker: () => Taker,
  soonMs: number,
): Promise<Expired> {
  const nowMs = Date.now();
  const { rows } = await parts.db.pool.query<{ leaseId: string; taskId: string; atMs: number }>({
    name: 'read-expiring',
    text: `SELECT lease_id AS "leaseId", task_id AS "taskId", (extract(epoch FROM not_after) * 1000)::float8 AS "atMs"
             FROM lease WHERE state = 'known' AND not_after <= $1 ORDER BY not_after LIMIT ${BATCH}`,
    values: [new Date(nowMs + soonMs).toISOString()],
  });
  const over = rows.filter((row) => row.atMs <= nowMs);
  const nextMs = rows[over.length]?.atMs ?? null;
  const drained = over.length < BATCH;
  if (over.length === 0) return { queued: [], work: [], drained, nextMs };

  const flushed = await transact(parts.db, async (tx) => {
    const wanted = { tasks: over.map((row) => row.taskId), leases: over.map((row) => row.leaseId) };
    const work = await UnitOfWork.beginIdle(tx, wanted, nowMs);
    for (const { leaseId } of over) {
      const lease = work.lease(leaseId);
      // It may have been made due since it was read, or renewed.
      if (lease?.state !== 'known' || !work.holds(lease.taskId) || !isOver(lease, nowMs)) continue;
      work.step(makeDue(lease, { cause: 'expired', causedBy: null }, nowMs));
    }
    return await work.flush(tx, taker());
  });
  return { ...flushed, drained, nextMs };
}
