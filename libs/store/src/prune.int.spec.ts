import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { park } from './parking.js';
import { inboxRule, Pruner, settledRule, type PruneRule } from './prune.js';
import { storeMigrations } from './store-migrations.js';

const HOUR_MS = 3_600_000;

let schema: FreshSchema;
let pruned: [rule: string, rows: number][];
let told: { rule: string; code: string | undefined }[];
beforeEach(async () => {
  schema = await freshSchema('prune', storeMigrations);
  pruned = [];
  told = [];
});
afterEach(() => schema.drop());

const prunerOf = (...rules: PruneRule[]) =>
  new Pruner({
    db: schema.db,
    rules,
    onPruned: (rule, rows) => pruned.push([rule, rows]),
    warn: (fields) => {
      const { rule, err } = fields as { rule: string; err: { code?: string } };
      told.push({ rule, code: err.code });
    },
  });
/** Entries of the inbox, received so many hours ago. */
const received = (...agesHours: number[]) =>
  schema.db.pool.query(
    `INSERT INTO inbox (sender, ce_id, wire_type, value_sha256, received_at)
       SELECT 'ann', 'ce-' || age, 'task.started', '00', now() - age * interval '1 hour' FROM unnest($1::float8[]) AS a(age)`,
    [agesHours],
  );
const left = async () => {
  const { rows } = await schema.db.pool.query<{ ce_id: string }>(
    'SELECT ce_id FROM inbox ORDER BY received_at DESC',
  );
  return rows.map((row) => row.ce_id);
};
const parked = (offset: bigint) =>
  transact(schema.db, (tx) =>
    park(tx, 'broker', [
      {
        record: { topic: 't', partition: 0, offset, appendedAtMs: 0, key: null, value: null, headers: {} },
        why: 'bug',
        code: 'Error',
        detail: 'failed',
        holds: false,
      },
    ]),
  );
const inbox = (keepHours: number, batch = 1_000) => ({ ...inboxRule(keepHours * HOUR_MS), batch });

it('drops what is older than is kept, batch by batch, and nothing younger', async () => {
  await received(1, 9.9, 10.1, 11, 12, 13, 14);

  await prunerOf(inbox(10, 2)).run();

  expect(await left()).toEqual(['ce-1', 'ce-9.9']);
  expect(pruned).toEqual([
    ['inbox', 2],
    ['inbox', 2],
    ['inbox', 1],
  ]);
});

it('keeps what a parked record may be a copy of: that clock stands still until the record is settled', async () => {
  await received(9, 11, 15, 21);
  await parked(1n);
  await schema.db.pool.query("UPDATE dead_letter SET parked_at = now() - interval '10 hours'");

  await prunerOf(inbox(10)).run();
  expect(await left()).toEqual(['ce-9', 'ce-11', 'ce-15']);

  await schema.db.pool.query("UPDATE dead_letter SET state = 'dropped', settled_at = now()");
  await prunerOf(inbox(10)).run();
  expect(await left()).toEqual(['ce-9']);
  expect((await schema.db.pool.query('SELECT FROM dead_letter')).rowCount).toBe(1);
});

it('never drops a record that is parked, and a settled one only once no topic can hold it', async () => {
  await parked(1n);
  await parked(2n);
  await parked(3n);
  await schema.db.pool.query(
    `UPDATE dead_letter SET parked_at = now() - interval '10000 hours',
            settled_at = CASE bus_offset WHEN 2 THEN now() - interval '9.9 hours' WHEN 3 THEN now() - interval '10.1 hours' END`,
  );

  await prunerOf(settledRule(10 * HOUR_MS)).run();

  const { rows } = await schema.db.pool.query('SELECT bus_offset FROM dead_letter ORDER BY bus_offset');
  expect(rows).toEqual([{ bus_offset: 1n }, { bus_offset: 2n }]);
});

it('leaves it to the process that is at it already', async () => {
  await received(11);
  const other = schema.open();

  await transact(other, async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.prune.' || $1, 0))", [
      other.schema,
    ]);
    await prunerOf(inbox(10)).run();
    expect(await left()).toEqual(['ce-11']);
  });

  await prunerOf(inbox(10)).run();
  expect(await left()).toEqual([]);
});

it('waits for no row that somebody has locked', async () => {
  await received(11, 12);

  await transact(schema.open(), async (tx) => {
    await tx.query("SELECT FROM inbox WHERE ce_id = 'ce-12' FOR UPDATE");
    await prunerOf(inbox(10)).run();
  });

  expect(await left()).toEqual(['ce-12']);
});

it('goes on with the next rule where one fails, of which nothing is done', async () => {
  await received(11);
  const failing: PruneRule = {
    name: 'failing',
    keepMs: 0,
    batch: 1,
    take: async (tx) => {
      await tx.query('DELETE FROM inbox');
      throw Object.assign(new Error('out of order'), { code: 'XX000' });
    },
  };
  const looks: PruneRule = {
    name: 'looks',
    keepMs: 0,
    batch: 1,
    take: async () => {
      expect(await left()).toEqual(['ce-11']);
      return 0;
    },
  };

  await prunerOf(failing, looks, inbox(10)).run();

  expect(told).toEqual([{ rule: 'failing', code: 'XX000' }]);
  expect(pruned).toEqual([['inbox', 1]]);
});

it('stops after the batch at hand', async () => {
  await received(11, 12, 13);
  let stopped: Promise<void> | undefined;
  const rule = inbox(10, 1);
  const pruner = prunerOf({
    ...rule,
    take: async (tx, keepMs, batch) => {
      stopped = pruner.stop();
      return await rule.take(tx, keepMs, batch);
    },
  });

  pruner.start();
  while (stopped === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  await stopped;

  expect(await left()).toEqual(['ce-11', 'ce-12']);
});

it('takes less at once where a batch takes too long', async () => {
  const asked: number[] = [];
  const slow = (least: number): PruneRule => ({
    name: 'slow',
    keepMs: 0,
    batch: 100,
    take: async (tx, _keepMs, batch) => {
      asked.push(batch);
      if (batch > least) await tx.query('SELECT pg_sleep(60)');
      return 1;
    },
  });
  const parts = {
    db: schema.db,
    onPruned: (rule: string, rows: number) => pruned.push([rule, rows]),
    warn: (_fields: object, message: string) => told.push({ rule: message, code: undefined }),
  };

  await new Pruner({ ...parts, rules: [slow(10)] }, 1_000).run();
  expect(asked).toEqual([100, 10]);
  expect(pruned).toEqual([['slow', 1]]);

  asked.length = 0;
  await new Pruner({ ...parts, rules: [slow(0)] }, 1_000).run();
  expect(asked).toEqual([100, 10, 1]);
  expect(told).toEqual([{ rule: 'pruning failed', code: undefined }]);
});
