/** What is shown of the surveys and sweeps, looked up at each scrape: of all processes together. */
import type { Database } from '#store/database.js';
import type { Metrics } from '#telemetry/metrics.js';

export function measureSurveys(metrics: Metrics, db: Database): void {
  const read = async (sql: string) => (await db.pool.query<{ n: number | null }>(sql)).rows[0]?.n ?? 0;
  metrics.gauge({
    name: 'standing_principals',
    help: 'Accounts of others at the targets that reach governed data, and that nobody lets be.',
    read: () =>
      read('SELECT count(*)::int AS n FROM standing_access JOIN target USING (target) WHERE counts'),
  });
  metrics.gauge({
    name: 'target_unswept_seconds',
    help: 'How long the target that waits longest has not been compared with the ledger.',
    read: () =>
      read(
        `SELECT extract(epoch FROM now() - min(swept_at))::float8 AS n FROM target WHERE swept_at IS NOT NULL`,
      ),
  });
}
