/** Whatever is asked of a long log, an index leads there: each statement that an answer takes is explained as it was sent. */
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { readPayloads } from '../log/entries.js';
import { readConsistencyProof, readInclusionProof } from '../log/nodes.js';
import { readRange } from '../log/export-range.js';
import { readTaskEntries } from '../story/task-entries.js';
import { parseFilter } from './filter.js';
import { readPage } from './page.js';
import { readLeases } from './read-leases.js';
import { seqAt } from './snapshot.js';

const ENTRIES = 60_000n;
const TASK = '01928c5e-0000-7000-8000-000000000001';
const LEASE = '01928c5e-0000-7000-8000-000000000002';
const names = { idOf: (id: string) => id, personOf: (id: string) => id };

let log: LogDatabase;
/** Rows like those of a log, without a tree: one second apart, five hundred tasks side by side and a small one among them. */
beforeAll(async () => {
  log = await freshLogDatabase();
  // Not through a pool: so many rows may take longer than a service waits for an answer.
  await log.admin.query(`
    INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted, type, task_id, event_id, ingested_at)
    SELECT n, sha256(n::text::bytea),
           convert_to(format('{"event":{"leaseId":"${LEASE}"},"service":"broker","task":"%s"}', task), 'UTF8'),
           'mayfly.credential.events.v1', n % 12, n, n * 1000, true,
           (ARRAY['call.decided', 'lease.intended', 'lease.issued', 'lease.access_cut'])[1 + n % 4], task, 'event-' || n, to_timestamp(n)
      FROM generate_series(0::bigint, ${ENTRIES - 1n}) AS n,
           LATERAL (SELECT CASE WHEN n BETWEEN 100 AND 119 THEN '${TASK}' ELSE 'task-' || n % 500 END AS task) AS of`);
  await log.admin.query(
    `INSERT INTO payload (seq, entry_key) SELECT seq, sha256(seq::text::bytea) FROM entry`,
  );
  await log.admin.query('ANALYZE');
}, 180_000);
afterAll(() => log.drop());

type Reader = Pick<LogDatabase['runtime']['pool'], 'query'>;
/** The plans of all statements that are sent meanwhile. */
async function plansOf(work: (db: Reader) => Promise<unknown>): Promise<string[]> {
  const { pool } = log.runtime;
  const sent: [string, unknown[]][] = [];
  const query = (text: string, values: unknown[] = []) => {
    sent.push([text, values]);
    return pool.query<object>(text, values);
  };
  await work({ query } as Reader);
  const plans = sent.map(async ([text, values]) => {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  return await Promise.all(plans);
}

const page = (db: Reader, filter: string) =>
  readPage(
    db,
    {
      ...{ filter: parseFilter(filter), tenants: undefined, first: 0n, end: ENTRIES },
      ...{ order: 'desc', limit: 50 },
    },
    names,
  );

it.each<[string, (db: Reader) => Promise<unknown>]>([
  ['a page that ends where it may look no further', (db) => page(db, 'agent=nobody')],
  ['a page of a type, and where it ended', (db) => page(db, 'type=call.decided AND agent=nobody')],
  ['access held', async (db) => readLeases(db, (await page(db, 'type=lease.issued')).entries, ENTRIES)],
  ['a story', (db) => readTaskEntries(db, TASK, ENTRIES)],
  ['a story of the whole log', (db) => readTaskEntries(db, TASK)],
  ['payloads', (db) => readPayloads(db, [7n, 59_999n])],
  ['the entry of a time', (db) => seqAt(db, 12_345_000, ENTRIES)],
  ['an inclusion proof', (db) => readInclusionProof(db, 200n, 255n)],
  ['a consistency proof', (db) => readConsistencyProof(db, 100n, 255n)],
  ['an export', (db) => readRange(db, { from: 512n, to: 1_024n }).next()],
])('the way to %s is an index', async (_, work) => {
  const plans = await plansOf(work);
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan on (entry|payload)/);
});
