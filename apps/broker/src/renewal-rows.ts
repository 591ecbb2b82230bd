/** Renewals as rows: one of each lease, the last, so that at most one is under way. */
import type { ToolCalled } from '#events/inbound.js';
import { leaseOf, type Lease } from '#events/lease.js';
import type { RefusalCode } from '#events/refusal.js';
import type { Renewal } from '#events/renew-lease.js';
import type { Sender } from '#events/task.js';
import type { Tx } from '#store/database.js';
import type { Write } from '#store/writes.js';
import { LEASE_ENDED, type AnsweredIn, type Intended } from './call-rows.js';

export interface RenewalRow {
  leaseId: string;
  taskId: string;
  /** Of the event that asked for it. */
  ceId: string;
  state: 'intended' | 'renewed' | 'refused';
  /** What the target is asked for; null where it was not asked. */
  notAfter: string | null;
  code: RefusalCode | null;
  reasons: string[];
  request: Renewal;
  sender: Sender;
  answeredIn: AnsweredIn;
}

/** A lease with all that a renewal is judged by. */
export interface RenewableLease {
  lease: Lease;
  intended: Intended;
  envelope: string | null;
  call: ToolCalled | null;
  renewal: RenewalRow | null;
}

/** What is to be done once its row is committed. */
export interface RenewalIntent {
  intended: Intended;
  /** The end as it is. */
  presentNotAfter: string;
  notAfter: string;
  sealTo: ToolCalled['sealTo'];
}

/** What a renewal came to, and which. */
export type RenewalOutcome =
  /** `envelope`: where the agent needs another credential for that. */
  | { is: 'renewed'; notAfter: string; envelope: string | null }
  | { is: 'refused'; code: RefusalCode; reasons: readonly string[] };
export interface RenewalKey {
  leaseId: string;
  ceId: string;
}
export const keyOfRenewal = ({ leaseId, ceId }: RenewalKey) => `${leaseId} ${ceId}`;

export interface KnownRenewal extends RenewalKey {
  /** Null: under way. */
  outcome: RenewalOutcome | null;
}

interface Row {
  state: Lease['state'];
  cutHeard: boolean;
  intended: Intended;
  envelope: string | null;
  notAfterMs: number | null;
  renewals: number;
  call: ToolCalled | null;
  renewal: RenewalRow | null;
}

const RENEWAL = `CASE WHEN r.lease_id IS NOT NULL THEN jsonb_build_object(
  'leaseId', r.lease_id, 'taskId', r.task_id, 'ceId', r.ce_id, 'state', r.state, 'notAfter', r.not_after, 'code', r.code,
  'reasons', r.reasons, 'request', r.request, 'sender', r.sender, 'answeredIn', r.answered_in) END`;
const LEASES = `SELECT l.state, l.cut_heard AS "cutHeard", l.intent AS intended, l.envelope, l.renewals,
    (extract(epoch FROM l.not_after) * 1000)::float8 AS "notAfterMs", c.request AS call, ${RENEWAL} AS renewal
  FROM lease l LEFT JOIN call c ON (c.task_id, c.agent, c.call_id) = (l.task_id, l.agent, l.call_id)
  LEFT JOIN renewal r ON r.lease_id = l.lease_id`;

function renewableOf(row: Row): RenewableLease {
  const { intended, state, cutHeard, renewals, notAfterMs, envelope, call, renewal } = row;
  const planned = leaseOf({ type: 'lease.intended', data: intended });
  const lease = { ...planned, state, cutHeard, renewals, notAfterMs: notAfterMs ?? planned.notAfterMs };
  return { lease, intended, envelope, call, renewal };
}

/** Locks leases for the rest of the transaction. Requires that their tasks are locked. */
export async function lockRenewable(
  tx: Tx,
  leaseIds: readonly string[],
): Promise<Map<string, RenewableLease>> {
  if (leaseIds.length === 0) return new Map();
  const { rows } = await tx.query<Row>({
    name: 'lock-renewable',
    text: `${LEASES} WHERE l.lease_id = ANY($1::text[]) ORDER BY l.lease_id FOR UPDATE OF l`,
    values: [[...new Set(leaseIds)]],
  });
  return new Map(rows.map((row) => [row.intended.leaseId, renewableOf(row)]));
}

/** What these have come to, in their order; null for those that are under way or not there. Takes no lock. */
export async function renewalOutcomes(
  tx: Tx,
  keys: readonly RenewalKey[],
): Promise<(RenewalOutcome | null)[]> {
  const { rows } = await tx.query<Row>({
    name: 'renewal-outcomes',
    text: `${LEASES} WHERE l.lease_id = ANY($1::text[])`,
    values: [keys.map(({ leaseId }) => leaseId)],
  });
  const found = new Map(
    rows.flatMap((row): [string, RenewalOutcome | null][] =>
      row.renewal === null ? [] : [[keyOfRenewal(row.renewal), outcomeOf(renewableOf(row))]],
    ),
  );
  return keys.map((key) => found.get(keyOfRenewal(key)) ?? null);
}

/** Of the last renewal. What was renewed and has died since is over. */
export function outcomeOf({ lease, intended, envelope, renewal }: RenewableLease): RenewalOutcome | null {
  if (renewal === null || renewal.state === 'intended') return null;
  if (renewal.state === 'refused')
    return { is: 'refused', code: renewal.code ?? 'ERR_LEASE_NOT_RENEWABLE', reasons: renewal.reasons };
  if (lease.cutHeard || renewal.notAfter === null)
    return { is: 'refused', code: 'ERR_LEASE_ENDED', reasons: [LEASE_ENDED] };
  const isNew = intended.provider === 'jwt';
  return { is: 'renewed', notAfter: renewal.notAfter, envelope: isNew ? envelope : null };
}

export function renewalsWrite(rows: readonly RenewalRow[], claimedBy: string): Write | null {
  if (rows.length === 0) return null;
  return {
    sql: `INSERT INTO renewal (lease_id, task_id, ce_id, state, not_after, code, reasons, request, sender, answered_in, claimed_by)
       SELECT lease_id, task_id, ce_id, state, not_after, code, reasons, request, sender, answered_in, $11
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[],
                     $9::jsonb[], $10::text[])
                AS n(lease_id, task_id, ce_id, state, not_after, code, reasons, request, sender, answered_in)
     ON CONFLICT (lease_id) DO UPDATE SET ce_id = excluded.ce_id, state = excluded.state, not_after = excluded.not_after,
       code = excluded.code, reasons = excluded.reasons, request = excluded.request, sender = excluded.sender,
       answered_in = excluded.answered_in, saved_at = clock_timestamp(),
       -- Asked again while it is under way, it stays with whom it is.
       claimed_by = CASE WHEN renewal.state = 'intended' AND excluded.state = 'intended' THEN renewal.claimed_by
                         ELSE excluded.claimed_by END`,
    values: [
      rows.map((r) => r.leaseId),
      rows.map((r) => r.taskId),
      rows.map((r) => r.ceId),
      rows.map((r) => r.state),
      rows.map((r) => r.notAfter),
      rows.map((r) => r.code),
      rows.map((r) => JSON.stringify(r.reasons)),
      rows.map((r) => JSON.stringify(r.request)),
      rows.map((r) => JSON.stringify(r.sender)),
      rows.map((r) => r.answeredIn),
      claimedBy,
    ],
  };
}

export interface RenewedLease {
  leaseId: string;
  notAfter: string;
  /** Null: what the agent has stays as it is. */
  envelope: string | null;
}

export function renewedWrite(renewed: readonly RenewedLease[]): Write | null {
  if (renewed.length === 0) return null;
  return {
    sql: `UPDATE lease SET not_after = n.not_after, renewals = lease.renewals + 1, envelope = coalesce(n.envelope, lease.envelope)
       FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS n(lease_id, not_after, envelope)
      WHERE lease.lease_id = n.lease_id`,
    values: [renewed.map((r) => r.leaseId), renewed.map((r) => r.notAfter), renewed.map((r) => r.envelope)],
  };
}

/** Renewals that perhaps nobody works on: of other processes, and of this one where they have waited for some time. */
export async function undecidedRenewals(
  tx: Tx,
  { own, lateMs }: { own: string; lateMs: number },
): Promise<{ leaseId: string; claimedBy: string }[]> {
  const { rows } = await tx.query<{ leaseId: string; claimedBy: string }>(
    `SELECT lease_id AS "leaseId", claimed_by AS "claimedBy" FROM renewal
      WHERE state = 'intended'
        AND (claimed_by <> $1 OR saved_at < clock_timestamp() - $2 * interval '1 millisecond')
      ORDER BY saved_at LIMIT 500`,
    [own, lateMs],
  );
  return rows;
}

/** @returns the leases that are ours from this commit on, and were `from`'s. */
export async function claimRenewals(
  tx: Tx,
  claims: readonly { leaseId: string; claimedBy: string }[],
  own: string,
): Promise<RenewalIntent[]> {
  const { rows: claimed } = await tx.query<{ leaseId: string }>(
    `UPDATE renewal SET claimed_by = $3, saved_at = clock_timestamp()
       FROM unnest($1::text[], $2::text[]) AS c(lease_id, claimed_by)
      WHERE renewal.lease_id = c.lease_id AND renewal.claimed_by = c.claimed_by AND state = 'intended'
      RETURNING renewal.lease_id AS "leaseId"`,
    [claims.map((c) => c.leaseId), claims.map((c) => c.claimedBy), own],
  );
  if (claimed.length === 0) return [];
  const { rows } = await tx.query<Row>(`${LEASES} WHERE l.lease_id = ANY($1::text[])`, [
    claimed.map(({ leaseId }) => leaseId),
  ]);
  return rows.flatMap((row) => intentOf(renewableOf(row)) ?? []);
}

/** Null where nothing is under way. */
export function intentOf({ lease, intended, call, renewal }: RenewableLease): RenewalIntent | null {
  if (call === null || renewal?.state !== 'intended' || renewal.notAfter === null) return null;
  const presentNotAfter = new Date(lease.notAfterMs).toISOString();
  return { intended, presentNotAfter, notAfter: renewal.notAfter, sealTo: call.sealTo };
}
