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

export async function summarizeOutlived(
  tx: Pick<Tx, 'query'>,
  { fromMs, toMs }: Asked,
  tenants: readonly string[] | undefined,
): Promise<OutlivedSummary> {
  const { rows } = await tx.query<{
    leases: number;
    outlived: number;
    open: number;
    at: (string | null)[] | null;
  }>(
    `SELECT count(*)::int AS leases, (count(*) FILTER (WHERE outlived_ms > 0))::int AS outlived,
            (count(*) FILTER (WHERE outlived_ms IS NULL))::int AS open,
            percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY outlived_ms) AS at
       FROM access_grant
      WHERE seq_granted IS NOT NULL AND task_ended_at_ms >= $1 AND task_ended_at_ms < $2
        ${tenants === undefined ? '' : 'AND tenant = ANY($3::text[])'}`,
    tenants === undefined ? [fromMs, toMs] : [fromMs, toMs, tenants],
  );
  const { leases = 0, outlived = 0, open = 0, at } = rows[0] ?? {};
  const [p50Ms, p95Ms, maxMs] = [0, 1, 2].map((i) => {
    const ms = at?.[i] ?? null;
    return ms === null ? null : Number(ms);
  });
  return { leases, outlived, open, p50Ms: p50Ms ?? null, p95Ms: p95Ms ?? null, maxMs: maxMs ?? null };
}
