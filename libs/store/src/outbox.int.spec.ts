import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { enqueue, readOutbox, type UnsignedRecord } from './outbox.js';
import { storeMigrations } from './store-migrations.js';

const record = (n: number, change: Partial<UnsignedRecord> = {}): UnsignedRecord => ({
  topic: 'mayfly.credential.events.v1',
  key: 'task-1',
  head: {
    id: `01930000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    source: '//mayfly/broker',
    type: 'dev.mayfly.lease.issued.v1',
    subject: 'task-1',
    time: '2026-11-24T12:00:00.000Z',
    contentType: 'application/json',
  },
  value: Buffer.from(JSON.stringify({ n })),
  ...change,
});

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('outbox', storeMigrations);
});
afterEach(() => schema.drop());

const read = (olderThanMs = 0, after = 0n, limit = 100) =>
  transact(schema.db, (tx) => readOutbox(tx, olderThanMs, after, limit));

it('queues records in the order given, with a counter that rises', async () => {
  const many = Array.from({ length: 300 }, (_, n) => record(n));

  const queued = await transact(schema.db, (tx) => enqueue(tx, many));

  expect(queued.map((each) => each.head.id)).toEqual(many.map((each) => each.head.id));
  expect(queued.every((each, i) => i === 0 || each.id > (queued[i - 1]?.id ?? 0n))).toBe(true);
  expect((await read(0, 0n, 300)).map((each) => each.head.id)).toEqual(many.map((each) => each.head.id));
});

it('reads back what was queued: any bytes, a tombstone, headers beside the attributes', async () => {
  const bytes = record(1, { value: Buffer.from([0, 255, 128]), extra: { 'dlq-code': 'ERR_JSON_MALFORMED' } });
  const tombstone = record(2, { value: null });

  const queued = await transact(schema.db, (tx) => enqueue(tx, [bytes, tombstone]));

  expect(await read()).toEqual(queued.map((each) => ({ extra: {}, ...each })));
});

it('keeps nothing of a transaction that rolls back', async () => {
  const failing = transact(schema.db, async (tx) => {
    await enqueue(tx, [record(1)]);
    throw new Error('decided otherwise');
  });

  await expect(failing).rejects.toThrow('decided otherwise');
  expect(await read()).toEqual([]);
});

it('reads on behind a row, and leaves out what is younger than asked', async () => {
  const [first] = await transact(schema.db, (tx) => enqueue(tx, [record(1), record(2), record(3)]));

  expect((await read(0, first?.id, 1)).map((each) => each.head.id)).toEqual([record(2).head.id]);
  expect(await read(60_000)).toEqual([]);
});
