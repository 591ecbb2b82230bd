/** A log that was there before its entries were in partitions. */
import { rootOf } from '#merkle/compact-range.js';
import { hasher } from '#merkle/node/hasher.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { transact, type Database } from '#store/database.js';
import { migrate } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, World } from '../../spec/world.js';
import { appendEntries, readHead } from './append.js';
import { checkHead, checkRows } from './check-rows.js';
import { readRoot } from './nodes.js';
import { logMigrations, migrateLog } from './schema.js';
import { signHead } from '../signer/sign-head.js';

const signer = parseSigner(generateNoteKey('audit.example/log').skey);
const asItWas = (owner: Database) => migrate(owner, [...storeMigrations, ...logMigrations.slice(0, 2)]);

let world: World;
let log: LogDatabase;
beforeAll(async () => (world = await World.open()));
afterAll(() => world.close());
beforeEach(async () => (log = await freshLogDatabase({ migrate: asItWas })));
afterEach(() => log.drop());

async function append(db: Database, count: number): Promise<void> {
  const records = Array.from({ length: count }, () => world.wrote('broker', 'task.accepted', common));
  const fresh = await Promise.all(
    records.map(async (record) => ({ record, entry: await world.entryOf(record) })),
  );
  await transact(db, (tx) => appendEntries(tx, fresh));
}
const rows = async <T extends object>(sql: string) => (await log.admin.query<T>(sql)).rows;
const bounds = async () =>
  (
    await rows<{ is: string }>(
      `SELECT relname || ' ' || pg_get_expr(relpartbound, c.oid) AS is FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = 'entry'::regclass ORDER BY c.oid`,
    )
  ).map(({ is }) => is);

it('keeps every row, its payload and its place in the tree, and goes on behind them', async () => {
  await append(log.owner, 300);
  const before = await rows('SELECT * FROM entry ORDER BY seq');
  const payloads = await rows('SELECT * FROM payload ORDER BY seq');
  const root = await readRoot(log.owner.pool, 300n);

  await migrateLog(log.owner, log.runtimeRole, log.signerRole);

  expect(await rows('SELECT * FROM entry ORDER BY seq')).toEqual(before);
  expect(await rows('SELECT * FROM payload ORDER BY seq')).toEqual(payloads);
  expect(await readRoot(log.owner.pool, 300n)).toEqual(root);
  await append(log.runtime, 300);
  expect((await signHead(log.signer, [signer], 0))?.size).toBe(600n);
  expect(await checkRows(log.runtime.pool, 0n, 600n)).toEqual([]);
  const head = await readHead(log.runtime.pool);
  expect(await readRoot(log.runtime.pool, 600n)).toEqual(rootOf(hasher, head));
  expect(await checkHead(log.runtime.pool, head)).toEqual([]);
});

it('makes what was there the first partition, and two more', async () => {
  await append(log.owner, 3);
  await migrateLog(log.owner, log.runtimeRole, log.signerRole);
  const once = await bounds();
  await migrateLog(log.owner, log.runtimeRole, log.signerRole);

  expect(once).toEqual([
    "entry_p0 FOR VALUES FROM ('0') TO ('4194304')",
    "entry_p1 FOR VALUES FROM ('4194304') TO ('8388608')",
    "entry_p2 FOR VALUES FROM ('8388608') TO ('12582912')",
  ]);
  expect(await bounds()).toEqual(once);
});

it('gives the first partition as many blocks as the log has begun', async () => {
  await append(log.owner, 1);
  await log.admin.query(`ALTER TABLE entry DISABLE TRIGGER ALL; ALTER TABLE payload DISABLE TRIGGER ALL;
    ALTER TABLE payload DROP CONSTRAINT payload_seq_fkey; ALTER TABLE payload ADD CONSTRAINT payload_seq_fkey CHECK (true);
    UPDATE entry SET seq = 5000000; UPDATE tree_head SET size = 5000001;
    ALTER TABLE entry ENABLE ALWAYS TRIGGER no_change`);
  await migrateLog(log.owner, log.runtimeRole, log.signerRole);

  expect((await bounds())[0]).toBe("entry_p0 FOR VALUES FROM ('0') TO ('8388608')");
  expect((await bounds()).at(-1)).toBe("entry_p3 FOR VALUES FROM ('12582912') TO ('16777216')");
});

it('finds entries by task and by decision with the indexes that were there', async () => {
  await append(log.owner, 3);
  await migrateLog(log.owner, log.runtimeRole, log.signerRole);
  const indexes = await rows<{ name: string; whole: string }>(
    `SELECT c.relname AS name, p.relname AS whole FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid JOIN pg_class p ON p.oid = inhparent
      WHERE c.relkind = 'i' AND c.relname LIKE 'entry_p0%' ORDER BY 1`,
  );

  expect(indexes).toEqual([
    { name: 'entry_p0_decision', whole: 'entry_decision' },
    { name: 'entry_p0_pkey', whole: 'entry_pkey' },
    { name: 'entry_p0_task', whole: 'entry_task' },
    { name: 'entry_p0_type', whole: 'entry_type' },
  ]);
});
