/** What is proven of an order: counted from the leases themselves. */
import type { CutCause } from '#events/causes.js';
import type { OrderScope } from '#events/order-events.js';
import type { Tx } from '#store/database.js';
import type { OrderRow } from './order-rows.js';

export interface LeaseCounts {
  found: number;
  /** Access not proven cut. */
  due: number;
  /** Of those: tried three times at least. */
  unproven: number;
  /** Proven without access, and not cleaned away yet. */
  cut: number;
  removed: number;
}

export interface OrderReport {
  orderId: string;
  scope: OrderScope;
  subject?: string;
  by: string;
  reason: string;
  orderedAt: string;
  /**
   * `ordered`: not all of its leases are found yet. `cutting`: some access is not proven cut. `checking`: all is that was heard of, and the
   * bus is still being read to where it ended. `proven`: that, too.
   */
  state: 'ordered' | 'cutting' | 'checking' | 'proven';
  leases: LeaseCounts;
  /** Those that wait longest, at most 20. */
  due: DueLease[];
}

export interface DueLease {
  leaseId: string;
  taskId: string;
  agent?: string;
  target?: string;
  cause: CutCause;
  attempts: number;
  /** How long the access may have been there since it was to be cut. */
  exposureMs: number;
}

const SHOWN = 20;

const OF_ORDER = `lease_id IN (
  SELECT lease_id FROM lease
   WHERE body#>>'{revocation,causedBy}' = $2 AND body#>>'{revocation,cause}' IN ('operator', 'agent_revoked')
  UNION SELECT lease_id FROM revocation_order_lease WHERE order_id = $1)`;

export async function countLeases(
  db: Pick<Tx, 'query'>,
  { orderId, ceId }: Pick<OrderRow, 'orderId' | 'ceId'>,
): Promise<LeaseCounts> {
  const { rows } = await db.query<LeaseCounts>(
    `SELECT count(*)::int AS found,
            count(*) FILTER (WHERE state = 'due')::int AS due,
            count(*) FILTER (WHERE state = 'due' AND (body#>>'{revocation,attempts}')::int >= 3)::int AS unproven,
            count(*) FILTER (WHERE state = 'cut')::int AS cut,
            count(*) FILTER (WHERE state = 'removed')::int AS removed
       FROM lease WHERE ${OF_ORDER}`,
    [orderId, ceId],
  );
  return rows[0] ?? { found: 0, due: 0, unproven: 0, cut: 0, removed: 0 };
}

export async function reportOf(db: Pick<Tx, 'query'>, order: OrderRow, nowMs: number): Promise<OrderReport> {
  const [leases, due] = [await countLeases(db, order), await dueLeases(db, order, nowMs)];
  const { orderId, scope, subject, by, reason, orderedAt } = order;
  // What was removed long ago is forgotten, and was counted when all of it was proven.
  const forgotten = Math.max(0, (order.leases ?? 0) - leases.found);
  return {
    ...{ orderId, scope, ...(subject === null ? {} : { subject }), by, reason },
    orderedAt: orderedAt.toISOString(),
    state: stateOf(order, leases),
    leases: { ...leases, found: leases.found + forgotten, removed: leases.removed + forgotten },
    due,
  };
}

function stateOf({ walkedAt, provenAt }: OrderRow, { due }: LeaseCounts): OrderReport['state'] {
  if (walkedAt === null) return 'ordered';
  // What was heard of since it was proven may be due again.
  if (due > 0) return 'cutting';
  return provenAt === null ? 'checking' : 'proven';
}

interface Row extends Omit<DueLease, 'agent' | 'target' | 'exposureMs'> {
  agent: string | null;
  target: string | null;
  sinceMs: number;
}

async function dueLeases(
  db: Pick<Tx, 'query'>,
  { orderId, ceId }: OrderRow,
  nowMs: number,
): Promise<DueLease[]> {
  const { rows } = await db.query<Row>(
    `SELECT lease_id AS "leaseId", task_id AS "taskId", body->>'agent' AS agent, target,
            body#>>'{revocation,cause}' AS cause, (body#>>'{revocation,attempts}')::int AS attempts,
            (body#>>'{revocation,requestedAtMs}')::float8 AS "sinceMs"
       FROM lease WHERE state = 'due' AND ${OF_ORDER}
      ORDER BY (body#>>'{revocation,requestedAtMs}')::float8, lease_id LIMIT ${SHOWN}`,
    [orderId, ceId],
  );
  return rows.map(({ agent, target, sinceMs, ...row }) => ({
    ...row,
    ...(agent === null ? {} : { agent }),
    ...(target === null ? {} : { target }),
    exposureMs: Math.max(0, Math.round(nowMs - sinceMs)),
  }));
}
