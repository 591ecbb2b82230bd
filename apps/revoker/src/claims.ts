/**
 * Who works on which lease. A claim is a hint that spares double work, never a right: two revokers may cut one lease. It
 * lapses, and at once when its process is dead, which the database knows: each process holds an advisory lock on its id.
 * Nothing here waits for a row, so nothing here can stand in the way of whoever writes down what became of a lease.
 */
import type { DoomedLease, LeasePlan } from '#events/revocation.js';
import { isDead } from '#store/alive.js';
import type { Database } from '#store/database.js';
import { CLAIM_LAPSES_MS, type Workload } from './lease-rows.js';

/** How many more leases a worker can hold of one target. */
export interface Room {
  target: string;
  cuts: number;
  cleans: number;
}

/** Takes leases that are waiting now, the longest due first. */
export async function takeLeases(
  db: Database,
  rooms: readonly Room[],
  takenBy: string,
  nowMs: number,
): Promise<Workload[]> {
  if (rooms.length === 0) return [];
  const waiting = (state: 'due' | 'cut', room: 'cuts' | 'cleans') =>
    `SELECT lease_id FROM lease WHERE state = '${state}' AND target = room.target AND act_at <= $4
      ORDER BY act_at LIMIT room.${room} FOR UPDATE SKIP LOCKED`;
  const { rows } = await db.pool.query<{ body: DoomedLease & { plan: LeasePlan } }>({
    name: 'take-leases',
    text: `UPDATE lease SET taken_by = $5, act_at = $6
            WHERE lease_id IN (
              SELECT w.lease_id FROM unnest($1::text[], $2::int[], $3::int[]) AS room(target, cuts, cleans)
               CROSS JOIN LATERAL (SELECT * FROM (${waiting('due', 'cuts')}) AS d
                         UNION ALL SELECT * FROM (${waiting('cut', 'cleans')}) AS c) AS w)
           RETURNING body`,
    values: [
      rooms.map((room) => room.target),
      rooms.map((room) => room.cuts),
      rooms.map((room) => room.cleans),
      new Date(nowMs).toISOString(),
      takenBy,
      new Date(nowMs + CLAIM_LAPSES_MS).toISOString(),
    ],
  });
  return rows.map((row) => row.body);
}

/** Gives back what nobody works on any more: at the end of a process, and for processes that ended without it. */
export async function giveBack(db: Database, takenBy: string, nowMs: number): Promise<number> {
  const { rowCount } = await db.pool.query(
    `UPDATE lease SET taken_by = NULL, act_at = $2 WHERE lease_id IN (
       SELECT lease_id FROM lease WHERE taken_by = $1 AND state IN ('due', 'cut') FOR UPDATE SKIP LOCKED)`,
    [takenBy, new Date(nowMs).toISOString()],
  );
  return rowCount ?? 0;
}

/** All that waits for this target may be tried now. */
export async function hurryTarget(db: Database, target: string, nowMs: number): Promise<void> {
  await db.pool.query(
    `UPDATE lease SET act_at = $2 WHERE lease_id IN (
       SELECT lease_id FROM lease
        WHERE target = $1 AND state IN ('due', 'cut') AND taken_by IS NULL AND act_at > $2 FOR UPDATE SKIP LOCKED)`,
    [target, new Date(nowMs).toISOString()],
  );
}

/** @returns how many leases were freed from processes that are dead. */
export async function freeFromDead(db: Database, instanceId: string, nowMs: number): Promise<number> {
  const { rows } = await db.pool.query<{ taken_by: string }>(
    'SELECT DISTINCT taken_by FROM lease WHERE taken_by IS NOT NULL AND taken_by <> $1',
    [instanceId],
  );
  let freed = 0;
  for (const { taken_by: other } of rows) {
    if (await isDead(db.pool, other)) freed += await giveBack(db, other, nowMs);
  }
  return freed;
}

/** Targets at which something is to be done, configured or not. */
export async function busyTargets(db: Database): Promise<string[]> {
  const { rows } = await db.pool.query<{ target: string }>(
    `SELECT DISTINCT target FROM lease WHERE state IN ('known', 'due', 'cut') AND target IS NOT NULL`,
  );
  return rows.map((row) => row.target);
}
