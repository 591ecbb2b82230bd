/** What the end of a task reads, in rows: its own leases, however many others there are, with plans made while there were none. */
import { transact, type Tx } from '#store/database.js';
import { freshSchema, type FreshSchema } from '../../../libs/store/test/fresh-schema.js';
import { readKnownUnder } from './lease-rows.js';
import { revokerMigrations } from './migrations.js';
import { lockTasks } from './task-rows.js';

/** After these a prepared statement keeps its plan. */
const PLANS_TRIED = 8;

let schema: FreshSchema;
beforeAll(async () => {
  schema = await freshSchema('revoker', revokerMigrations);
});
afterAll(() => schema.drop());

/** Tasks with 5 leases each. */
async function lent(tasks: number): Promise<string> {
  const { rows } = await schema.db.pool.query<{ taskId: string }>(
    `WITH t AS (
       INSERT INTO task (task_id, state) SELECT gen_random_uuid()::text, '{}' FROM generate_series(1, $1) RETURNING task_id),
     l AS (
       INSERT INTO lease (lease_id, task_id, target, state, not_after, taken_by, body)
       SELECT gen_random_uuid()::text, task_id, 'shop', 'known', now() + interval '1 hour', NULL,
              jsonb_build_object('agent', 'spiffe://dev.mayfly/agent/analyst', 'leaseId', task_id)
         FROM t, generate_series(1, 5) RETURNING lease_id, task_id),
     a AS (INSERT INTO lease_lineage (task_id, lease_id, generation) SELECT task_id, lease_id, 1 FROM l)
     SELECT task_id AS "taskId" FROM t LIMIT 1`,
    [tasks],
  );
  return rows[0]?.taskId ?? '';
}

/** How many rows `work` read, by the counters of its session. */
const rowsRead = (work: (tx: Tx) => Promise<unknown>): Promise<number> =>
  transact(schema.db, async (tx) => {
    const soFar = async () => {
      const { rows } = await tx.query<{ n: bigint }>(
        `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS n
           FROM pg_stat_xact_user_tables WHERE schemaname = $1`,
        [schema.db.schema],
      );
      return Number(rows[0]?.n);
    };
    const before = await soFar();
    await work(tx);
    return (await soFar()) - before;
  });

const READS: Record<string, (tx: Tx, taskId: string) => Promise<unknown>> = {
  'locking it and the tasks of its leases': (tx, taskId) => lockTasks(tx, [taskId], [], [taskId]),
  'its leases': (tx, taskId) => readKnownUnder(tx, [taskId]),
};

it.each(Object.entries(READS))('%s reads no more rows when 5,000 other leases live', async (_what, read) => {
  const first = await lent(1);
  for (let n = 0; n < PLANS_TRIED; n += 1) await transact(schema.db, (tx) => read(tx, first));
  const alone = await rowsRead((tx) => read(tx, first));

  const taskId = await lent(1_000);

  expect(alone).toBeGreaterThan(0);
  expect(await rowsRead((tx) => read(tx, taskId))).toBe(alone);
});
