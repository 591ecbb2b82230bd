import { setTimeout as sleep } from 'node:timers/promises';
import type { BusRecord } from '#bus/bus.js';
import { DELIVERY, REVOCATIONS } from '#events/topics.js';
import { append, EMPTY_RANGE, rootOf } from '#merkle/compact-range.js';
import { sameHash } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import { ingesting } from '../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../spec/log-database.js';
import { common, ORCHESTRATOR, started, World } from '../spec/world.js';
import { GROUP } from './ingest.js';
import { readHead } from './log/append.js';
import { envelopeOf } from './log/entries.js';

let log: LogDatabase;
let world: World;
beforeEach(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
});
afterEach(() => Promise.all([log.drop(), world.close()]));

const ingest = () => ingesting(log.runtime, world);
const many = (n: number): BusRecord[] =>
  Array.from({ length: n }, () => world.wrote('broker', 'task.accepted', common));

interface Row {
  seq: bigint;
  leaf: Buffer;
  leafHash: Buffer;
  offset: bigint;
}
/** Reads the log, and checks what holds of every log: dense, hashed as it stands, and its head the root of its rows. */
async function wholeLog(): Promise<Row[]> {
  const { rows } = await log.runtime.pool.query<Row>(
    'SELECT seq, leaf, leaf_hash AS "leafHash", bus_offset AS "offset" FROM entry ORDER BY seq',
  );
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => BigInt(i)));
  for (const { leaf, leafHash } of rows) expect(leafHash.equals(hasher.leaf(leaf))).toBe(true);
  const head = await readHead(log.runtime.pool);
  const leafHashes = rows.map(({ leafHash }) => leafHash);
  const recomputed = rootOf(hasher, append(hasher, EMPTY_RANGE, leafHashes));
  expect(sameHash(rootOf(hasher, head), recomputed)).toBe(true);
  return rows;
}
const nextOffset = async (topic: string): Promise<bigint | undefined> => {
  const { rows } = await log.runtime.pool.query<{ next: bigint }>(
    'SELECT next FROM bus_offset WHERE consumer_group = $1 AND topic = $2',
    [GROUP, topic],
  );
  return rows[0]?.next;
};

it('makes every record an entry, whoever wrote it, in the order of the partition', async () => {
  const forged = world.wrote('broker', 'task.ended', common);
  forged.value = Buffer.from('{');
  await ingest().onBatch([
    world.wrote('broker', 'task.accepted', common),
    forged,
    world.wrote('broker', 'something.new', common),
  ]);
  await ingest().onBatch([await world.said('task.started', started, ORCHESTRATOR)]);

  const envelopes = (await wholeLog()).map(({ leaf }) => envelopeOf(leaf));
  expect(envelopes.map(({ type, code }) => type ?? code)).toEqual([
    'task.accepted',
    'ERR_RECORD_FORGED',
    'something.new',
    'task.started',
  ]);
});

it('ignores records that it is handed again, alone or with new ones', async () => {
  const records = many(30);
  await ingest().onBatch(records.slice(0, 20));
  await ingest().onBatch(records.slice(0, 20));
  await ingest().onBatch(records.slice(10));

  expect((await wholeLog()).map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
});

it('goes on exactly where its session was killed in the middle of a transaction', async () => {
  const records = many(60);
  const { topic } = records[0] as BusRecord;
  await ingest().onBatch(records.slice(0, 20));

  await log.admin.query('BEGIN');
  await log.admin.query('SELECT FROM tree_head FOR UPDATE');
  const going = ingest().onBatch(records.slice(20, 40));
  const victims = () =>
    log.admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'",
      [log.runtimeRole],
    );
  while ((await victims()).rowCount === 0) await sleep(20);
  expect(await nextOffset(topic)).toBe(20n);
  await log.admin.query('ROLLBACK');
  await going;
  expect(await wholeLog()).toHaveLength(40);
  expect(await nextOffset(topic)).toBe(40n);

  await ingest().onBatch(records.slice(20));
  expect((await wholeLog()).map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
});

it('logs each record once when two auditors are handed the same ones', async () => {
  const records = many(400);
  const feed = async (one: ReturnType<typeof ingest>) => {
    for (let i = 0; i < records.length; i += 40) await one.onBatch(records.slice(i, i + 40));
  };
  await Promise.all([feed(ingest()), feed(ingest())]);

  expect((await wholeLog()).map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
});

it('keeps several topics apart, and a tree of several tiles whole', async () => {
  const revoked = Array.from({ length: 300 }, () =>
    world.wrote('revoker', 'revocation.published', { seq: 1, what: 'task' }, { topic: REVOCATIONS }),
  );
  await Promise.all([ingest().onBatch(many(700)), ingest().onBatch(revoked)]);

  expect(await wholeLog()).toHaveLength(1_000);
  const { rows } = await log.runtime.pool.query('SELECT level, idx FROM tile ORDER BY 1, 2');
  expect(rows).toEqual([0n, 1n, 2n].map((idx) => ({ level: 0, idx })));
});

it('leaves out a heartbeat that the revoker signed, and logs one that it did not', async () => {
  const beat = () =>
    world.wrote('revoker', 'heartbeat', { seq: 1 }, { topic: REVOCATIONS, key: 'heartbeat' });
  const forged = beat();
  forged.value = Buffer.from('{"seq":2}');
  await ingest().onBatch([beat(), forged, beat()]);

  expect((await wholeLog()).map(({ offset }) => offset)).toEqual([forged.offset]);
  expect(await nextOffset(REVOCATIONS)).toBe(3n);
});

it('records once that records were deleted before it read them, and goes on behind them', async () => {
  const gap = { topic: DELIVERY, partition: 0, from: 0n, to: 5n };
  await ingest().onGap(gap);
  await ingest().onGap(gap);

  const rows = await wholeLog();
  expect(rows.map(({ leaf }) => envelopeOf(leaf))).toMatchObject([
    { type: 'log.gap_detected', topic: DELIVERY, event: { from: '0', to: '5' } },
  ]);
  expect(await nextOffset(DELIVERY)).toBe(5n);
});

// The time of a record is its producer's claim on all topics but one, and not under the signature.
it.each([2 ** 63, -(2 ** 63), Number.MAX_VALUE])(
  'takes in a record that claims the time %d',
  async (atMs) => {
    await ingest().onBatch([{ ...world.wrote('broker', 'task.accepted', common), appendedAtMs: atMs }]);

    expect(await wholeLog()).toHaveLength(1);
    const { rows } = await log.runtime.pool.query<{ ms: bigint }>('SELECT appended_at_ms AS ms FROM entry');
    // A story tells it as a date.
    expect(new Date(Number(rows[0]?.ms)).toISOString()).toBe('1970-01-01T00:00:00.000Z');
  },
);
