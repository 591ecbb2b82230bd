import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { EVIDENCE, EVIDENCE_NAMES, evidenceRows, type Asked } from '../evidence/queries.js';
import { grantsQuery } from './find-grants.js';
import { readRows, rowsStatement, type Place, type RowsQuery } from './read-rows.js';

const LEASES = 60_000;
/** One lease each second, for a minute each; the last thousand are not cut. */
const BEGAN_MS = 1_795_000_000_000;

let log: LogDatabase;
beforeAll(async () => {
  log = await freshLogDatabase();
  // Not through a pool: so many rows may take longer than a service waits for an answer.
  await log.admin.query(
    `INSERT INTO access_grant (lease_id, task_id, tenant, dataset, target, granted_at_ms, seq_granted, seq_decided, expires_at_ms,
                               cut_at_ms, seq_cut, task_ended_at_ms, outlived_ms, seq_changed)
     SELECT 'l' || n, 't' || n, 'corp', 'd' || n % 50, 'shop', $1::bigint + n * 1000, n * 3, n * 3 - 1, $1::bigint + n * 1000 + 60000,
            CASE WHEN n <= $2::int - 1000 THEN $1::bigint + n * 1000 + 40000 END, n * 3 + 1, $1::bigint + n * 1000 + 39000, n % 5000, n * 3 + 1
       FROM generate_series(1, $2::int) AS n`,
    [BEGAN_MS, LEASES],
  );
  await log.admin.query(
    `INSERT INTO approval (approval_id, requested_at_ms, seq_requested)
     SELECT 'a' || n, $1::bigint + n * 1000, n FROM generate_series(1, 20000) AS n`,
    [BEGAN_MS],
  );
  await log.admin.query(
    `INSERT INTO decision_count (day, tenant, agent, tool, dataset, action, decision, code, day_at_ms, count, seq_first)
     SELECT 'd' || n, '', '', '', '', '', 'deny', '', $1::bigint + n * 86400000::bigint, 1, n FROM generate_series(1, 20000) AS n`,
    [BEGAN_MS],
  );
  await log.admin.query('ANALYZE access_grant, approval, decision_count');
}, 180_000);
afterAll(() => log.drop());

const asked = (names: Asked['names'] = {}): Asked => ({
  names,
  ...{ fromMs: BigInt(BEGAN_MS + 1_000_000), toMs: BigInt(BEGAN_MS + 2_000_000), minMs: 1n },
  ...{ longestMs: 60_000n, nowMs: BigInt(BEGAN_MS + LEASES * 1_000) },
});
const page = { limit: 50, before: undefined };
const held = (second: number, dataset?: string): RowsQuery =>
  grantsQuery({
    ...{ atMs: BEGAN_MS + second * 1_000, size: 1_000_000n, longestMs: 60_000n, ...page },
    ...{
      wanted: dataset === undefined ? {} : { dataset },
      agent: undefined,
      principal: undefined,
      tenants: ['corp'],
    },
  });

async function planOf(query: RowsQuery): Promise<string> {
  const { statement, values } = rowsStatement(query);
  const { rows } = await log.runtime.pool.query<Record<'QUERY PLAN', string>>(`EXPLAIN ${statement}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

it('finds what was held at an instant by an index', async () => {
  for (const query of [held(30_000), held(30_000, 'd7'), { ...held(30_000), before: { at: 1n, seq: 1n } }])
    expect(await planOf(query)).not.toContain('Seq Scan');
});

it.each(EVIDENCE_NAMES.filter((name) => !['agents', 'policies', 'standing'].includes(name)))(
  'finds what is evidence of %s by an index',
  async (name) => {
    const rows = evidenceRows(EVIDENCE[name], asked({ dataset: ['d7'] }), ['corp'], page);
    expect(await planOf(rows)).not.toContain('Seq Scan');
  },
);

it('finds all that were held at an instant, the latest first', async () => {
  const { rows, last } = await readRows(log.runtime.pool, held(30_000));
  // Each was cut 40 seconds after it was granted.
  expect(rows.map(({ lease_id }) => lease_id)).toEqual(
    Array.from({ length: 40 }, (_, i) => `l${30_000 - i}`),
  );
  expect(last).toBeUndefined();
});

it('looks at so many rows for a page, and goes on behind them', async () => {
  const query: RowsQuery = {
    ...{ table: 'access_grant', order: ['granted_at_ms', 'seq_granted'], limit: 10 },
    found: () => ['seq_granted IS NOT NULL'],
    wanted: (bind) => [`lease_id = ANY(${bind(['l1', 'l57999'])}::text[])`],
    before: undefined,
  };
  const found: (string | undefined)[][] = [];
  let before: Place | undefined;
  do {
    const { rows, last } = await readRows(log.runtime.pool, { ...query, before });
    found.push(rows.map(({ lease_id }) => String(lease_id)));
    before = last;
  } while (before !== undefined);
  // Only an empty page tells that there are no more.
  expect(found.length).toBe(LEASES / 2_000 + 1);
  expect(found.filter((ids) => ids.length > 0)).toEqual([['l57999'], ['l1']]);
  expect(found[1]).toEqual(['l57999']);
});
