/** What receivers are still to be told, as rows. Whoever sends one has it for itself for a while; all of it by the database's clock. */
import type { Database } from '#store/database.js';
import type { Write } from '#store/writes.js';
import { trimBacklogOf } from '#store/trim-backlog.js';
import type { Notice } from './notice.js';

/** What a receiver may be behind. Then the oldest goes: what came later says more about what waits. */
export const MAX_BACKLOG = 10_000;
/** How long a receiver may be away. By then people have missed it. */
export const GIVEN_UP_AFTER_MS = 86_400_000;

export interface NotificationRow {
  id: bigint;
  receiver: string;
  notice: Notice;
  attempts: number;
}

/** Rows for whoever is to be told, in the transaction of the events. */
export function notificationsWrite(notices: readonly Notice[]): Write | null {
  if (notices.length === 0) return null;
  return {
    sql: `INSERT INTO notification (receiver, event_id, notice)
            SELECT r.receiver, e.event_id, e.notice
              FROM unnest($1::text[], $2::text[], $3::text[], $4::json[]) WITH ORDINALITY AS e(event_id, type, tenant, notice, n)
              JOIN notification_receiver AS r
                ON e.type = ANY(r.events) AND (r.tenants IS NULL OR e.tenant = ANY(r.tenants))
             ORDER BY e.n
          ON CONFLICT (receiver, event_id) DO NOTHING`,
    values: [
      notices.map(({ id }) => id),
      notices.map(({ type }) => type),
      notices.map(({ tenant }) => tenant ?? null),
      notices.map((notice) => JSON.stringify(notice)),
    ],
  };
}

/** Takes what is due, the oldest first. @param leaseMs for how long nobody else gets it */
export async function claimNotifications(
  db: Database,
  receiver: string,
  limit: number,
  leaseMs: number,
): Promise<NotificationRow[]> {
  const { rows } = await db.pool.query<NotificationRow>(
    `UPDATE notification SET due_at = clock_timestamp() + $3 * interval '1 millisecond' WHERE id IN (
       SELECT id FROM notification WHERE receiver = $1 AND due_at <= now() ORDER BY due_at, id LIMIT $2
          FOR UPDATE SKIP LOCKED)
     RETURNING id, receiver, notice, attempts`,
    [receiver, limit, leaseMs],
  );
  return rows;
}

export async function dropNotifications(db: Database, ids: readonly bigint[]): Promise<void> {
  if (ids.length > 0) await db.pool.query('DELETE FROM notification WHERE id = ANY($1::bigint[])', [ids]);
}

export async function postponeNotifications(
  db: Database,
  rows: readonly { id: bigint; waitMs: number }[],
): Promise<void> {
  if (rows.length === 0) return;
  await db.pool.query(
    `UPDATE notification AS n SET due_at = clock_timestamp() + w.wait_ms * interval '1 millisecond', attempts = n.attempts + 1
       FROM unnest($1::bigint[], $2::float8[]) AS w(id, wait_ms) WHERE n.id = w.id`,
    [rows.map(({ id }) => id), rows.map(({ waitMs }) => waitMs)],
  );
}

/** Takes away what a receiver was away for too long for. @returns how many */
export async function giveUpOld(db: Database, receiver: string, afterMs: number): Promise<number> {
  const { rowCount } = await db.pool.query(
    `DELETE FROM notification WHERE receiver = $1 AND told_at < now() - $2 * interval '1 millisecond'`,
    [receiver, afterMs],
  );
  return rowCount ?? 0;
}

/** Takes away the oldest above the bound. @returns what is left, and how many went */
export const trimBacklog = (db: Database, receiver: string) =>
  trimBacklogOf(db, 'notification', receiver, MAX_BACKLOG);
