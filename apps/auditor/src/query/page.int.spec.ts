import { canonical } from '#events/jcs.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { FIELDS, OPERATORS_OF } from './fields.js';
import { parseFilter } from './filter.js';
import { pageStatement, readPage, type Order } from './page.js';
import { seqAt } from './snapshot.js';

const ENTRIES = 60_000n;
const TASK = '01928c5e-0000-7000-8000-000000000001';
const names = { idOf: (id: string) => id, personOf: (id: string) => id };

let log: LogDatabase;
/** Rows like those of a log, without a tree: one second apart, a rare type and a small task among them. */
beforeAll(async () => {
  log = await freshLogDatabase();
  // Not through a pool: so many rows may take longer than a service waits for an answer.
  await log.admin.query(`
    INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted, type, task_id, event_id, ingested_at)
    SELECT n, sha256(n::text::bytea),
           convert_to(format('{"event":{"agent":"spiffe://dev.mayfly/agent/a%s","tenant":"t%s"},"service":"broker"}', n % 7, n % 2), 'UTF8'),
           'mayfly.credential.events.v1', n % 12, n, n * 1000, true,
           CASE WHEN n % 30000 = 17 THEN 'store.restored' WHEN n % 3 = 0 THEN 'call.decided' ELSE 'lease.issued' END,
           CASE WHEN n BETWEEN 100 AND 119 THEN '${TASK}' ELSE 'task-' || n % 500 END, 'event-' || n, to_timestamp(n)
      FROM generate_series(0::bigint, ${ENTRIES - 1n}) AS n`);
  await log.admin.query('ANALYZE entry');
}, 180_000);
afterAll(() => log.drop());

const query = (filter: string, more: object = {}) => ({
  ...{
    filter: parseFilter(filter),
    tenants: undefined,
    first: 0n,
    end: ENTRIES,
    order: 'asc' as Order,
    limit: 100,
  },
  ...more,
});
const page = async (filter: string, more: object = {}) => {
  const { entries, last } = await readPage(log.runtime.pool, query(filter, more), names);
  return { seqs: entries.map(({ seq }) => seq), last };
};

/** A filter with each field and each of its operators, alone and beside an index. */
const VALUES = {
  text: 'x',
  id: 'x',
  person: 'x',
  seq: '30000',
  count: '5',
  time: '2026-11-01T00:00:00Z',
  flag: 'true',
};
const filters = [...FIELDS].flatMap(([name, { kind }]) =>
  OPERATORS_OF[kind].map((operator) => `${name}${operator}${VALUES[kind]}`),
);

describe('the plan', () => {
  async function planOf(filter: string, order: Order, tenants?: string[]): Promise<string> {
    const { statement, values } = pageStatement({ ...query(filter), order, tenants }, names);
    const { rows } = await log.runtime.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  it.each([
    '',
    ...filters,
    ...[
      'type=store.restored',
      `task=${TASK}`,
      'type=call.decided AND id=event-9',
      'type=call.decided AND agent=x',
    ],
    ...[`task=${TASK} OR type=x`, 'NOT type=x', 'admitted=true AND NOT (tool=a OR dataset=b)'],
  ])('of %j goes by an index, and reads the log from end to end for nobody', async (filter) => {
    for (const order of ['asc', 'desc'] as const)
      for (const tenants of [undefined, ['t1']]) {
        const plan = await planOf(filter, order, tenants);
        expect(plan).not.toContain('Seq Scan');
        expect(plan).toContain('Index');
      }
  });
});

it('looks at so many rows for one page, and says where the next one begins', async () => {
  expect(await page('admitted=false')).toEqual({ seqs: [], last: 19_999n });
  expect(await page('admitted=false', { first: 40_000n })).toEqual({ seqs: [], last: undefined });
  expect(await page('admitted=false', { order: 'desc' })).toEqual({ seqs: [], last: 40_000n });
  expect(await page('agent=nobody')).toEqual({ seqs: [], last: 3_999n });
  expect(await page('type=call.decided AND agent=nobody')).toEqual({ seqs: [], last: 11_997n });
});

it('finds what is rare at once where an index has it', async () => {
  expect(await page('type=store.restored')).toEqual({ seqs: [17n, 30_017n], last: undefined });
  expect(await page(`task=${TASK} AND type=call.decided`)).toEqual({
    seqs: [102n, 105n, 108n, 111n, 114n, 117n],
    last: undefined,
  });
  expect(await page('type=call.decided AND id=event-9')).toEqual({ seqs: [9n], last: undefined });
});

it('says that there is more exactly where there is', async () => {
  const few = { limit: 2 };
  expect(await page('type=store.restored', few)).toEqual({ seqs: [17n, 30_017n], last: 30_017n });
  expect(await page('type=store.restored', { ...few, first: 30_018n })).toEqual({
    seqs: [],
    last: undefined,
  });
  expect(await page('seq>=59998', few)).toEqual({ seqs: [59_998n, 59_999n], last: undefined });
  expect(await page('seq<2', { ...few, order: 'desc' })).toEqual({ seqs: [1n, 0n], last: undefined });
  expect(await page('seq>70000')).toEqual({ seqs: [], last: undefined });
});

it('shows entries of the tenants asked for alone, whatever the filter says', async () => {
  const { seqs } = await page('tenant=t0 OR seq>=0', { tenants: ['t1'], limit: 3 });
  expect(seqs).toEqual([1n, 3n, 5n]);
});

it('finds the first entry of a time', async () => {
  const at = (seconds: number) => seqAt(log.runtime.pool, seconds * 1_000, ENTRIES);
  expect(await at(0)).toBe(0n);
  expect(await at(-5)).toBe(0n);
  expect(await at(12_345)).toBe(12_345n);
  expect(await at(12_344.5)).toBe(12_345n);
  expect(await at(1e9)).toBe(ENTRIES);
  expect(await seqAt(log.runtime.pool, 500_000, 100n)).toBe(100n);
  expect(await seqAt(log.runtime.pool, 0, 0n)).toBe(0n);
});

it('reads filters of every field and operator', async () => {
  for (const filter of filters) {
    const { seqs } = await page(filter, { first: 30_000n, end: 30_010n });
    expect(seqs.every((seq) => seq >= 30_000n && seq < 30_010n)).toBe(true);
  }
});

it('finds what a leaf has to escape, and what it writes without quotes', async () => {
  const agents = ['a "quoted" one', 'back\\slash', 'ärger', '\u2028 a line', '😀', '7', 7, true];
  const leaves = agents.map((agent) => canonical({ event: { agent }, service: 'broker' }));
  await log.admin.query(
    `INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted)
     SELECT ${ENTRIES} + n - 1, sha256(n::text::bytea), convert_to(leaf, 'UTF8'), 'mayfly.credential.events.v1', 0, ${ENTRIES} + n, 0, true
       FROM unnest($1::text[]) WITH ORDINALITY AS l(leaf, n)`,
    [leaves],
  );
  const found = await Promise.all(
    [...new Set(agents.map(String))].map(async (agent) => {
      const filter = `agent="${agent.replace(/["\\]/g, '\\$&')}"`;
      const { seqs } = await page(filter, { first: ENTRIES, end: ENTRIES + BigInt(agents.length) });
      return [agent, seqs.map((seq) => Number(seq - ENTRIES))];
    }),
  );
  expect(Object.fromEntries(found)).toEqual({
    ...{ 'a "quoted" one': [0], 'back\\slash': [1], ärger: [2], '\u2028 a line': [3], '😀': [4] },
    ...{ 7: [5, 6], true: [7] },
  });
});
