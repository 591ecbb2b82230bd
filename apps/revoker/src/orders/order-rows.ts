/** Operators' orders as rows, and the leases that each of them concerns. */
import type { OrderScope } from '#events/order-events.js';
import type { RevocationOrder } from '#events/revocation-order.js';
import type { Database, Tx } from '#store/database.js';

export interface ReadTo {
  partition: number;
  next: string;
}

export interface OrderRow extends RevocationOrder {
  /** Of the record that tells of it. */
  ceId: string;
  orderedAt: Date;
  /** Everything that was known is due. */
  walkedAt: Date | null;
  walkedTo: string;
  /** Ends of the bus once all that was known was due; null while they are not known. */
  readTo: ReadTo[] | null;
  provenAt: Date | null;
  leases: number | null;
}

const COLUMNS = `order_id AS "orderId", scope, subject, ordered_by AS by, reason, ce_id AS "ceId", ordered_at AS "orderedAt",
  walked_to AS "walkedTo", walked_at AS "walkedAt", read_to AS "readTo", proven_at AS "provenAt", leases`;

export async function readOrder(db: Pick<Tx, 'query'>, orderId: string): Promise<OrderRow | null> {
  const { rows } = await db.query<OrderRow>(`SELECT ${COLUMNS} FROM revocation_order WHERE order_id = $1`, [
    orderId,
  ]);
  return rows[0] ?? null;
}

/** Null where it is done with, or another process is at it. */
export async function takeOpenOrder(tx: Tx, orderId: string): Promise<OrderRow | null> {
  const { rows } = await tx.query<OrderRow>(
    `SELECT ${COLUMNS} FROM revocation_order WHERE order_id = $1 AND proven_at IS NULL FOR UPDATE SKIP LOCKED`,
    [orderId],
  );
  return rows[0] ?? null;
}

/** The oldest first. */
export async function openOrders(db: Database): Promise<string[]> {
  const { rows } = await db.pool.query<{ orderId: string }>({
    name: 'open-orders',
    text: `SELECT order_id AS "orderId" FROM revocation_order WHERE proven_at IS NULL ORDER BY ordered_at LIMIT 100`,
  });
  return rows.map(({ orderId }) => orderId);
}

export interface NewOrder extends RevocationOrder {
  ceId: string;
  nowMs: number;
  coversUntilMs: number;
  /** Nothing is left to be looked for. */
  isWalked: boolean;
}

/** @returns false where another transaction took this id first. */
export async function insertOrder(tx: Tx, order: NewOrder): Promise<boolean> {
  const { orderId, scope, subject, by, reason, ceId, nowMs, coversUntilMs, isWalked } = order;
  const at = new Date(nowMs).toISOString();
  const { rowCount } = await tx.query(
    `INSERT INTO revocation_order (order_id, scope, subject, ordered_by, reason, ce_id, ordered_at, covers_until, walked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (order_id) DO NOTHING`,
    [
      ...[orderId, scope, subject, by, reason, ceId, at],
      new Date(coversUntilMs).toISOString(),
      isWalked ? at : null,
    ],
  );
  return rowCount === 1;
}

/** What each scope reaches, as a condition on leases; `$1` is the subject. */
export const REACHES: Record<OrderScope, string> = {
  lease: 'lease_id = $1',
  task: 'lease_id = ANY(ARRAY(SELECT lease_id FROM lease_lineage WHERE task_id = $1))',
  agent: `body->>'agent' = $1`,
  target: 'target = $1',
  all: '$1::text IS NULL',
};

/** The next known leases that it reaches, by id. */
export async function nextLeases(
  tx: Tx,
  { scope, subject, walkedTo }: OrderRow,
  limit: number,
): Promise<{ leaseId: string; taskId: string }[]> {
  const { rows } = await tx.query<{ leaseId: string; taskId: string }>(
    `SELECT lease_id AS "leaseId", task_id AS "taskId" FROM lease
      WHERE state = 'known' AND ${REACHES[scope]} AND lease_id > $2 ORDER BY lease_id LIMIT $3`,
    [subject, walkedTo, limit],
  );
  return rows;
}

export async function saveWalk(
  tx: Tx,
  orderId: string,
  { walkedTo, isDone }: { walkedTo: string; isDone: boolean },
): Promise<void> {
  await tx.query(
    `UPDATE revocation_order SET walked_to = $2, walked_at = CASE WHEN $3 THEN $4::timestamptz END WHERE order_id = $1`,
    [orderId, walkedTo, isDone, new Date().toISOString()],
  );
}

/** Notes what it reaches and what dies of something else. */
export async function noteDying(
  tx: Tx,
  { orderId, scope, subject, ceId }: Pick<OrderRow, 'orderId' | 'scope' | 'subject' | 'ceId'>,
): Promise<void> {
  const dying = scope === 'lease' ? `state <> 'known'` : `state IN ('due', 'cut')`;
  await tx.query(
    `INSERT INTO revocation_order_lease (order_id, lease_id)
       SELECT $2, lease_id FROM lease
        WHERE ${dying} AND ${REACHES[scope]} AND body#>>'{revocation,causedBy}' IS DISTINCT FROM $3
     ON CONFLICT DO NOTHING`,
    [subject, orderId, ceId],
  );
}

/** Only the first time. */
export async function saveReadTo(db: Database, orderId: string, readTo: readonly ReadTo[]): Promise<void> {
  await db.pool.query('UPDATE revocation_order SET read_to = $2 WHERE order_id = $1 AND read_to IS NULL', [
    orderId,
    JSON.stringify(readTo),
  ]);
}

export async function saveProven(tx: Tx, orderId: string, leases: number): Promise<void> {
  await tx.query('UPDATE revocation_order SET proven_at = $2, leases = $3 WHERE order_id = $1', [
    orderId,
    new Date().toISOString(),
    leases,
  ]);
}
