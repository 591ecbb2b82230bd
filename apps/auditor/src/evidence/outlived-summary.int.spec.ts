import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { summarizeOutlived } from './outlived-summary.js';
import type { Asked } from './queries.js';

let log: LogDatabase;
beforeAll(async () => {
  log = await freshLogDatabase();
  // Twenty tasks of one tenant that ended at 1,000 and whose leases lived on for 0, 10, … 190 ms; one of another, which is open yet.
  await log.admin.query(`
    INSERT INTO access_grant (lease_id, tenant, seq_granted, task_ended_at_ms, outlived_ms)
    SELECT 'a-' || n, 'acme', n, 1000, n * 10 FROM generate_series(0, 19) AS n
    UNION ALL SELECT 'b', 'other', 20, 1000, NULL
    UNION ALL SELECT 'later', 'acme', 21, 2000, 5000
    UNION ALL SELECT 'running', 'acme', 22, NULL, NULL`);
});
afterAll(() => log.drop());

const summary = (fromMs: bigint, toMs: bigint, tenants?: string[]) =>
  summarizeOutlived(log.runtime.pool, { fromMs, toMs } as Asked, tenants);

it('counts the leases of tasks that ended in the window, and how long half, most and all of them went on', async () => {
  expect(await summary(1_000n, 2_000n)).toEqual({
    ...{ leases: 21, outlived: 19, open: 1 },
    ...{ p50Ms: 90, p95Ms: 180, maxMs: 190 },
  });
});

it('agrees with PostgreSQL about what a percentile is', async () => {
  const { rows } = await log.admin.query<{ at: string[] }>(
    'SELECT percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY outlived_ms) AS at FROM access_grant WHERE task_ended_at_ms IS NOT NULL',
  );
  const { p50Ms, p95Ms, maxMs } = await summary(0n, 9_999n);
  expect([p50Ms, p95Ms, maxMs]).toEqual(rows[0]?.at.map(Number));
});

it('counts what the tenants asked for have, and nothing where they have nothing', async () => {
  expect(await summary(0n, 9_999n, ['other'])).toEqual({
    ...{ leases: 1, outlived: 0, open: 1 },
    ...{ p50Ms: null, p95Ms: null, maxMs: null },
  });
  expect(await summary(0n, 9_999n, [])).toMatchObject({ leases: 0, outlived: 0, open: 0, maxMs: null });
});
