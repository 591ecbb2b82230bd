/**
 * Who works on which lease. A claim is a hint that spares double work, never a right: two revokers may cut one lease. It
 * lapses, and at once when its process is dead, which the database knows: each process holds an advisory lock on its id.
 * Nothing here waits for a row, so nothing here can stand in the way of whoever writes down what became of a lease.
 */
import type { DoomedLease, LeasePlan } from '#events/revocation.js';
import { isDead } from '#store/alive.js';
import type { Database, Tx } from '#store/database.js';
import { CLAIM_LAPSES_MS, type Workload } from './lease-rows.js';
import { STEP_MS } from './turns.js';

/** How many more leases a worker can hold of one target. */
export interface Room {
  target: string;
  cuts: number;
  cleans: number;
}

/** Of the room for cuts, the part that is for those that were tried before: new ones come all the time. */
const AGAIN = 4;

/** Takes leases that are waiting now: due ones in the order of their turns, and besides what was tried before, the longest due first. */
export async function takeLeases(
  db: Database,
  rooms: readonly Room[],
  takenBy: string,
  nowMs: number,
): Promise<Workload[]> {
  if (rooms.length === 0) return [];
  const { rows } = await db.pool.query<Taken>({
    name: 'take-leases',
    text: TAKE,
    values: [
      rooms.map((room) => room.target),
      rooms.map((room) => room.cuts),
      rooms.map((room) => room.cleans),
      new Date(nowMs).toISOString(),
      takenBy,
      new Date(nowMs + CLAIM_LAPSES_MS).toISOString(),
    ],
  });
  return rows.map(({ body, tenant, turn_at }) => ({ ...body, tenant, turnAtMs: turn_at?.getTime() ?? null }));
}

interface Taken {
  body: DoomedLease & { plan: LeasePlan };
  tenant: string;
  turn_at: Date | null;
}

const waiting = (condition: string, order: 'turn_at' | 'act_at', most: string) =>
  `SELECT lease_id, turn_at FROM lease WHERE target = room.target AND ${condition}
    ORDER BY ${order} LIMIT ${most} FOR UPDATE SKIP LOCKED`;
const IN_LINE = waiting(`state = 'due' AND turn_at IS NOT NULL`, 'turn_at', 'room.cuts');
const TRIED = waiting(
  `state = 'due' AND turn_at IS NULL AND act_at <= $4`,
  'act_at',
  `(room.cuts + ${AGAIN - 1}) / ${AGAIN}`,
);
const TO_CLEAN = waiting(`state = 'cut' AND act_at <= $4`, 'act_at', 'room.cleans');
const TAKE = `
UPDATE lease SET taken_by = $5, act_at = $6, turn_at = NULL
  FROM (
   SELECT w.lease_id, w.turn_at FROM unnest($1::text[], $2::int[], $3::int[]) AS room(target, cuts, cleans)
    CROSS JOIN LATERAL (SELECT * FROM (${IN_LINE}) AS l
              UNION ALL SELECT * FROM (${TRIED}) AS t
              UNION ALL SELECT * FROM (${TO_CLEAN}) AS c) AS w) AS taken
 WHERE lease.lease_id = taken.lease_id
RETURNING body, taken.turn_at, coalesce((SELECT coalesce(t.state->'accepted'->>'tenant', t.state->'starts'->0->>'tenant')
                            FROM task t WHERE t.task_id = lease.task_id), '') AS tenant`;

/** Gives back leases that were not begun before their claim lapses: each where it stood, or those who came later would be before it. */
export async function standInLine(db: Database, leases: readonly Workload[], takenBy: string): Promise<void> {
  const standing = leases.flatMap(({ leaseId, turnAtMs }) =>
    turnAtMs === null ? [] : [{ leaseId, turnAtMs }],
  );
  if (standing.length === 0) return;
  await db.pool.query(
    `UPDATE lease SET taken_by = NULL, turn_at = stood.turn_at
       FROM unnest($1::text[], $2::timestamptz[]) AS stood(lease_id, turn_at)
      WHERE lease.lease_id IN (SELECT lease_id FROM lease WHERE lease_id = ANY($1::text[]) AND state = 'due'
                                  AND taken_by = $3 AND turn_at IS NULL FOR UPDATE SKIP LOCKED)
        AND lease.lease_id = stood.lease_id`,
    [
      standing.map(({ leaseId }) => leaseId),
      standing.map(({ turnAtMs }) => new Date(turnAtMs).toISOString()),
      takenBy,
    ],
  );
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

/** All that waits for this target may be tried now. Tasks take turns, as at the first time. */
export async function hurryTarget(db: Database, target: string, nowMs: number): Promise<void> {
  await db.pool.query(
    `WITH waiting AS (
       SELECT * FROM (${waitingStill(`state = 'due' AND turn_at IS NULL`)}) AS d
       UNION ALL SELECT * FROM (${waitingStill(`state = 'cut'`)}) AS c
     ), line AS (
       SELECT lease_id, row_number() OVER (PARTITION BY task_id ORDER BY act_at) AS place FROM waiting)
     UPDATE lease SET act_at = $2,
            turn_at = CASE state WHEN 'due' THEN $2::timestamptz + line.place * interval '${STEP_MS} ms' END
       FROM line WHERE lease.lease_id = line.lease_id`,
    [target, new Date(nowMs).toISOString()],
  );
}

const waitingStill = (condition: string) =>
  `SELECT lease_id, task_id, act_at FROM lease
    WHERE target = $1 AND ${condition} AND taken_by IS NULL AND act_at > $2 FOR UPDATE SKIP LOCKED`;

/** The lease that would be tried next of those that wait for this target may be tried now: whether it is back. */
export async function knockAt(db: Database, target: string, nowMs: number): Promise<void> {
  await db.pool.query(
    `UPDATE lease SET act_at = $2 WHERE lease_id = (
       SELECT lease_id FROM lease
        WHERE target = $1 AND state = 'due' AND turn_at IS NULL AND taken_by IS NULL AND act_at > $2
        ORDER BY act_at LIMIT 1 FOR UPDATE SKIP LOCKED)`,
    [target, new Date(nowMs).toISOString()],
  );
}

/** Of these leases, those that somebody else has taken since: their claim had lapsed. Requires the row locks of their tasks. */
export async function takenByOthers(
  tx: Tx,
  leaseIds: readonly string[],
  instanceId: string,
): Promise<Set<string>> {
  const { rows } = await tx.query<{ lease_id: string }>({
    name: 'taken-by-others',
    text: 'SELECT lease_id FROM lease WHERE lease_id = ANY($1::text[]) AND taken_by <> $2',
    values: [leaseIds, instanceId],
  });
  return new Set(rows.map(({ lease_id }) => lease_id));
}

/** @returns how many leases were freed from processes that are dead. */
export async function freeFromDead(db: Database, instanceId: string, nowMs: number): Promise<number> {
  // Two ranges of the index: what this process itself has taken is not read.
  const { rows } = await db.pool.query<{ taken_by: string }>({
    name: 'other-claimers',
    text: 'SELECT taken_by FROM lease WHERE taken_by < $1 UNION SELECT taken_by FROM lease WHERE taken_by > $1',
    values: [instanceId],
  });
  let freed = 0;
  for (const { taken_by: other } of rows) {
    if (await isDead(db.pool, other)) freed += await giveBack(db, other, nowMs);
  }
  return freed;
}

/** Targets at which something is to be done now or soon, configured or not. */
export async function busyTargets(db: Database): Promise<string[]> {
  const { rows } = await db.pool.query<{ target: string }>(
    `SELECT target FROM lease WHERE state = 'due' AND turn_at IS NOT NULL AND target IS NOT NULL
      UNION SELECT target FROM lease WHERE state = 'due' AND turn_at IS NULL AND target IS NOT NULL
      UNION SELECT target FROM lease WHERE state = 'cut' AND target IS NOT NULL`,
  );
  return rows.map((row) => row.target);
}
