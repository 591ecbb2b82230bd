/** How long access outlived tasks that ended in a window. */
import type { Tx } from '#store/database.js';
import type { Asked } from './queries.js';

export interface OutlivedSummary {
  /** Of the tasks that ended. */
  leases: number;
  outlived: number;
  /** Not proven gone yet. */
  open: number;
  p50Ms: number | null;
  p95Ms: number | null;
  maxMs: number | null;
}

/** Counted by the millisecond first: a month has a million leases, and few of them outlive their tasks by more than some thousand. */
export async function summarizeOutlived(
  tx: Pick<Tx, 'query'>,
  { fromMs, toMs }: Asked,
  tenants: readonly string[] | undefined,
): Promise<OutlivedSummary> {
  const { rows } = await tx.query<{ leases: number; outlived: number; open: number } & Percentiles>(
    `WITH counted AS MATERIALIZED (
       SELECT outlived_ms, count(*) AS n FROM access_grant
        WHERE seq_granted IS NOT NULL AND task_ended_at_ms >= $1 AND task_ended_at_ms < $2
          ${tenants === undefined ? '' : 'AND tenant = ANY($3::text[])'}
        GROUP BY outlived_ms),
     ranked AS (
       SELECT outlived_ms, sum(n) OVER (ORDER BY outlived_ms) / sum(n) OVER () AS rank
         FROM counted WHERE outlived_ms IS NOT NULL)
     SELECT coalesce(sum(n), 0)::int AS leases, coalesce(sum(n) FILTER (WHERE outlived_ms > 0), 0)::int AS outlived,
            coalesce(sum(n) FILTER (WHERE outlived_ms IS NULL), 0)::int AS open,
            (SELECT min(outlived_ms) FROM ranked WHERE rank >= 0.5) AS "p50Ms",
            (SELECT min(outlived_ms) FROM ranked WHERE rank >= 0.95) AS "p95Ms",
            max(outlived_ms) AS "maxMs"
       FROM counted`,
    tenants === undefined ? [fromMs, toMs] : [fromMs, toMs, tenants],
  );
  const { leases = 0, outlived = 0, open = 0, p50Ms = null, p95Ms = null, maxMs = null } = rows[0] ?? {};
  return { leases, outlived, open, p50Ms: number(p50Ms), p95Ms: number(p95Ms), maxMs: number(maxMs) };
}

interface Percentiles {
  p50Ms: bigint | null;
  p95Ms: bigint | null;
  maxMs: bigint | null;
}

const number = (ms: bigint | null): number | null => (ms === null ? null : Number(ms));
