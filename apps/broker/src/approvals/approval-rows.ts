/** Approvals as rows: what their events say of them, folded. They are written under the lock of their task, like all that is about it. */
import type { Approval } from '#events/approval.js';
import type { Tx } from '#store/database.js';
import type { StoredEvent } from '#store/events.js';
import type { Write } from '#store/writes.js';

/** The approval of a row of `call`, as a scalar. */
export const APPROVAL_OF_CALL = 'SELECT state FROM approval WHERE approval.approval_id = call.approval_id';

export function approvalsWrite(approvals: readonly Approval[]): Write | null {
  if (approvals.length === 0) return null;
  const asked = approvals.map(({ requested }) => requested);
  return {
    sql: `INSERT INTO approval (approval_id, task_id, agent, call_id, status, expires_at, state)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[])
     ON CONFLICT (approval_id) DO UPDATE SET status = excluded.status, state = excluded.state`,
    values: [
      asked.map(({ approvalId }) => approvalId),
      asked.map(({ taskId }) => taskId),
      asked.map(({ agent }) => agent),
      asked.map(({ callId }) => callId),
      approvals.map(({ status }) => status),
      asked.map(({ expiresAt }) => expiresAt),
      approvals.map((approval) => JSON.stringify(approval)),
    ],
  };
}

/** A second use of an approval breaks the transaction. */
export function usesWrite(events: readonly StoredEvent[]): Write | null {
  const used = events.filter(({ type }) => type === 'approval.consumed');
  if (used.length === 0) return null;
  const data = used.map((event) => event.data as { approvalId: string; taskId: string; leaseId: string });
  return {
    sql: `INSERT INTO approval_use (approval_id, task_id, lease_id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])`,
    values: [
      data.map(({ approvalId }) => approvalId),
      data.map(({ taskId }) => taskId),
      data.map(({ leaseId }) => leaseId),
    ],
  };
}

/** Takes no lock: whoever is to write about it locks its task, and reads it again. */
export async function readApproval(tx: Tx, approvalId: string): Promise<Approval | null> {
  const { rows } = await tx.query<{ state: Approval }>({
    name: 'read-approval',
    text: 'SELECT state FROM approval WHERE approval_id = $1',
    values: [approvalId],
  });
  return rows[0]?.state ?? null;
}

export interface ApprovalsWanted {
  status: Approval['status'] | undefined;
  /** Those after this one; ids grow with time. */
  after: string | undefined;
  limit: number;
}

/** By id, which is by age. */
export async function listApprovals(tx: Tx, { status, after, limit }: ApprovalsWanted): Promise<Approval[]> {
  const { rows } = await tx.query<{ state: Approval }>(
    `SELECT state FROM approval WHERE approval_id > $1 ${status === undefined ? '' : 'AND status = $3'}
      ORDER BY approval_id LIMIT $2`,
    [after ?? '', limit, ...(status === undefined ? [] : [status])],
  );
  return rows.map(({ state }) => state);
}

/** Open ones that are over by themselves, by their time or that of their task. */
export async function overdueApprovals(tx: Tx, limit: number): Promise<Approval[]> {
  const { rows } = await tx.query<{ state: Approval }>(
    `SELECT approval.state FROM approval JOIN task USING (task_id)
      WHERE approval.status = 'open'
        AND (expires_at <= clock_timestamp() OR task.status <> 'open'
             OR (task.state->>'generation') <> (approval.state#>>'{requested,generation}')
             OR EXISTS (SELECT FROM task parent
                         WHERE parent.task_id = ANY(task.ancestors) AND parent.status <> 'open'))
      ORDER BY expires_at LIMIT $1`,
    [limit],
  );
  return rows.map(({ state }) => state);
}

/** How many wait for people, and since when the oldest has. */
export async function approvalLoad(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ open: string }>(
    `SELECT count(*) AS open FROM approval WHERE status = 'open'`,
  );
  return Number(rows[0]?.open ?? 0);
}
