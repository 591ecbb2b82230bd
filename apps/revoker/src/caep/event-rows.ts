/** What receivers are still to be told, as rows: one for each event and receiver, until it is taken or over. */
import type { Database, Tx } from '#store/database.js';
import { trimBacklogOf } from '#store/trim-backlog.js';
import type { Told } from './session-ended.js';

/** What a receiver may be behind. Then the oldest goes: what came later says more about what lives. */
export const MAX_BACKLOG = 10_000;
/** A push that is not settled by then is anybody's again. */
const CLAIM_LAPSES_MS = 30_000;
const GRACE_MS = 60_000;

export interface EventRow {
  id: bigint;
  event: Told;
  atMs: number;
  attempts: number;
}
const COLUMNS = `id, event, (event->>'eventTimestamp')::float8 * 1000 AS "atMs", attempts`;

export interface NewEvent {
  told: Told;
  notAfter: Date;
}

export async function addEvents(
  tx: Tx,
  receivers: readonly string[],
  events: readonly NewEvent[],
  nowMs: number,
): Promise<void> {
  if (events.length === 0) return;
  await tx.query(
    `INSERT INTO security_event (receiver, jti, event, not_after, due_at)
       SELECT r.receiver, e.jti, e.event, e.not_after, $5
         FROM unnest($2::text[], $3::jsonb[], $4::timestamptz[]) WITH ORDINALITY AS e(jti, event, not_after, n)
        CROSS JOIN unnest($1::text[]) AS r(receiver) ORDER BY e.n
     ON CONFLICT (receiver, jti) DO NOTHING`,
    [
      receivers,
      events.map(({ told }) => told.jti),
      events.map(({ told }) => JSON.stringify(told)),
      events.map(({ notAfter }) => notAfter.toISOString()),
      new Date(nowMs).toISOString(),
    ],
  );
}

/** Takes what is due, the oldest first, for one who pushes it. */
export async function claimEvents(
  db: Database,
  receiver: string,
  limit: number,
  nowMs: number,
): Promise<EventRow[]> {
  const { rows } = await db.pool.query<EventRow>(
    `UPDATE security_event SET due_at = $4 WHERE id IN (
       SELECT id FROM security_event WHERE receiver = $1 AND due_at <= $3 ORDER BY due_at, id LIMIT $2
          FOR UPDATE SKIP LOCKED)
     RETURNING ${COLUMNS}`,
    [receiver, limit, new Date(nowMs).toISOString(), new Date(nowMs + CLAIM_LAPSES_MS).toISOString()],
  );
  return rows;
}

/** What one who polls has not taken, the oldest first. */
export async function readEvents(db: Database, receiver: string, limit: number): Promise<EventRow[]> {
  const { rows } = await db.pool.query<EventRow>(
    `SELECT ${COLUMNS} FROM security_event WHERE receiver = $1 ORDER BY id LIMIT $2`,
    [receiver, limit],
  );
  return rows;
}

export async function dropEvents(db: Database, ids: readonly bigint[]): Promise<void> {
  if (ids.length > 0) await db.pool.query('DELETE FROM security_event WHERE id = ANY($1::bigint[])', [ids]);
}

/** @returns how many of them there were. */
export async function dropByJti(db: Database, receiver: string, jtis: readonly string[]): Promise<number> {
  if (jtis.length === 0) return 0;
  const { rowCount } = await db.pool.query(
    'DELETE FROM security_event WHERE receiver = $1 AND jti = ANY($2::text[])',
    [receiver, jtis],
  );
  return rowCount ?? 0;
}

export async function postpone(
  db: Database,
  rows: readonly { id: bigint; dueAtMs: number }[],
): Promise<void> {
  if (rows.length === 0) return;
  await db.pool.query(
    `UPDATE security_event AS s SET due_at = n.due_at, attempts = s.attempts + 1
       FROM unnest($1::bigint[], $2::timestamptz[]) AS n(id, due_at) WHERE s.id = n.id`,
    [rows.map(({ id }) => id), rows.map(({ dueAtMs }) => new Date(dueAtMs).toISOString())],
  );
}

/** Takes away what is over by itself. @returns how many, by receiver */
export async function dropOver(db: Database, nowMs: number): Promise<Map<string, number>> {
  const { rows } = await db.pool.query<{ receiver: string; n: number }>(
    `WITH gone AS (DELETE FROM security_event WHERE id IN (
                     SELECT id FROM security_event WHERE not_after < $1 LIMIT 10000) RETURNING receiver)
     SELECT receiver, count(*)::int AS n FROM gone GROUP BY receiver`,
    [new Date(nowMs - GRACE_MS).toISOString()],
  );
  return new Map(rows.map(({ receiver, n }) => [receiver, n]));
}

/** Takes away the oldest above the bound. @returns what is left, and how many went */
export const trimBacklog = (db: Database, receiver: string) =>
  trimBacklogOf(db, 'security_event', receiver, MAX_BACKLOG);
