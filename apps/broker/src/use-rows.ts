/** Which leases were used, as far as it was reported. */
import type { ReportedLease } from '#events/see-drift.js';
import type { Migration } from '#store/migrate.js';
import type { Tx } from '#store/database.js';
import type { Write } from '#store/writes.js';

export const useMigrations: readonly Migration[] = [
  {
    id: 'broker-drift-1',
    sql: `
      -- cut_at: when the revoker's word that it goes for it was heard. use_reported: somebody said that it was used.
      ALTER TABLE lease ADD COLUMN cut_at timestamptz, ADD COLUMN use_reported boolean NOT NULL DEFAULT false;
    `,
  },
];

/** A report, by whom, of which call; of which lease, where it says so. */
export interface Report {
  taskId: string;
  callId: string;
  leaseId?: string | undefined;
  by: string;
}

export interface LeaseOfCall extends ReportedLease {
  taskId: string;
  callId: string;
}

/** Issued leases that these reports could be about. */
export async function reportedLeases(tx: Tx, reports: readonly Report[]): Promise<LeaseOfCall[]> {
  if (reports.length === 0) return [];
  const unnamed = reports.filter(({ leaseId }) => leaseId === undefined);
  const { rows } = await tx.query<LeaseOfCall>({
    name: 'reported-leases',
    text: `SELECT ${LEASE} FROM lease l JOIN unnest($1::text[]) AS k(lease_id) USING (lease_id) WHERE state = 'issued'
      UNION ALL
      SELECT ${LEASE} FROM lease l JOIN unnest($2::text[], $3::text[], $4::text[]) AS k(task_id, agent, call_id)
             USING (task_id, agent, call_id) WHERE state = 'issued'`,
    values: [
      [...new Set(reports.flatMap(({ leaseId }) => leaseId ?? []))],
      unnamed.map((report) => report.taskId),
      unnamed.map((report) => report.by),
      unnamed.map((report) => report.callId),
    ],
  });
  return rows;
}

const LEASE = `l.lease_id AS "leaseId", l.task_id AS "taskId", l.call_id AS "callId", l.agent,
  floor(extract(epoch FROM least(coalesce(l.not_after, (l.intent->>'notAfter')::timestamptz), l.cut_at)) * 1000)::float8 AS "endsAtMs"`;

/** The lease that a report is about: by its id, where it gives one, else its own call's. */
export const leaseOfReport = (leases: readonly LeaseOfCall[], report: Report): LeaseOfCall | null =>
  leases.find(
    (lease) =>
      lease.taskId === report.taskId &&
      lease.callId === report.callId &&
      (report.leaseId === undefined ? lease.agent === report.by : lease.leaseId === report.leaseId),
  ) ?? null;

export function usesReportedWrite(leaseIds: readonly string[]): Write | null {
  if (leaseIds.length === 0) return null;
  return { sql: 'UPDATE lease SET use_reported = true WHERE lease_id = ANY($1::text[])', values: [leaseIds] };
}
