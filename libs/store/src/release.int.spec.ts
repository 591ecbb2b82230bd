import type { BusRecord } from '#bus/bus.js';
import { shortType } from '#events/inbound.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact, type Tx } from './database.js';
import { orderLetter, readLetter } from './letter-board.js';
import { readOutbox } from './outbox.js';
import { heldKeys, park } from './parking.js';
import { releaseOrders, type ReleaseParts } from './release.js';
import { storeMigrations } from './store-migrations.js';

const GROUP = 'broker';
const TASK = '01a20fb8-c172-74ad-b8be-e0ba85b79c26';
const OTHER = '01a20fb8-c172-74ad-b8be-e0ba85b79c27';

const record = (offset: number, key = TASK): BusRecord => ({
  topic: TASK_EVENTS,
  partition: 3,
  offset: BigInt(offset),
  appendedAtMs: 0,
  key: Buffer.from(key),
  value: Buffer.from(`{"n":${offset}}`),
  headers: { 'mayfly-svid': Buffer.from('a.secret.token') },
});

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('release', [
    ...storeMigrations,
    {
      id: 'seen',
      sql: 'CREATE TABLE seen (n bigint GENERATED ALWAYS AS IDENTITY, seen_offset bigint UNIQUE)',
    },
  ]);
});
afterEach(() => schema.drop());

type Parking = { holds?: boolean; key?: string };
/** The first failed, the others wait behind it. @returns their ids */
async function parked(offsets: number[], { holds = true, key = TASK }: Parking = {}): Promise<bigint[]> {
  const letters = offsets.map((offset, n) => ({
    record: record(offset, key),
    why: n === 0 ? ('bug' as const) : ('behind' as const),
    code: n === 0 ? 'TypeError' : 'ERR_PARKED_BEHIND',
    detail: 'for a reason',
    holds,
  }));
  const done = await transact(schema.db, (tx) => park(tx, GROUP, letters));
  return done.map(({ id }) => id ?? -1n);
}

const order = (id: bigint | undefined, want: 'retry' | 'drop') =>
  transact(schema.db, (tx) =>
    orderLetter(tx, GROUP, id ?? -1n, want, { by: 'os:maria', reason: 'mended in 0.1.1' }),
  );
const see = async (tx: Tx, { offset }: BusRecord) => {
  await tx.query('INSERT INTO seen (seen_offset) VALUES ($1)', [offset]);
  return Number(offset);
};
const failingAt =
  (bad: number, error: () => unknown = () => new RangeError('no')) =>
  async (tx: Tx, each: BusRecord) => {
    const seen = await see(tx, each);
    if (seen === bad) throw error();
    return seen;
  };

function release(handle: ReleaseParts<number>['handle'] = see, more: Partial<ReleaseParts<number>> = {}) {
  const effects: number[] = [];
  const warned: string[] = [];
  const run = () =>
    releaseOrders<number>({
      db: schema.db,
      group: GROUP,
      handle,
      after: (committed) => effects.push(...committed.effects),
      warn: (_fields, message) => warned.push(message),
      ...more,
    });
  return { run, effects, warned };
}

const seen = async () =>
  (await schema.db.pool.query<{ o: bigint }>('SELECT seen_offset AS o FROM seen ORDER BY n')).rows.map(
    ({ o }) => Number(o),
  );
const states = async () =>
  (await schema.db.pool.query<{ state: string }>('SELECT state FROM dead_letter ORDER BY id')).rows.map(
    ({ state }) => state,
  );
const isHeld = async (key = TASK) => (await transact(schema.db, (tx) => heldKeys(tx, GROUP, [key]))).has(key);
const told = async () =>
  (await transact(schema.db, (tx) => readOutbox(tx, 0, 0n, 100)))
    .filter(({ topic }) => topic === CREDENTIAL_EVENTS)
    .map(({ key, head, value }) => ({
      key,
      type: shortType(head.type),
      data: JSON.parse(String(value)) as Record<string, unknown>,
    }));

it('does nothing without an order', async () => {
  await parked([5, 6]);

  expect(await release().run()).toBe(0);
  expect(await seen()).toEqual([]);
  expect(await isHeld()).toBe(true);
});

it('handles all records of a key in order once one is to be tried again, frees the key, and says whose word it was', async () => {
  const [first] = await parked([5, 6, 7]);
  await order(first, 'retry');

  const { run, effects } = release();
  await run();

  expect(effects).toEqual([5, 6, 7]);
  expect(await seen()).toEqual([5, 6, 7]);
  expect(await states()).toEqual(['released', 'released', 'released']);
  expect(await isHeld()).toBe(false);
  expect((await told()).map(({ key, type, data }) => [key, type, data.how, data.by, data.reason])).toEqual(
    Array(3).fill([TASK, 'dead_letter.released', 'retried', 'os:maria', 'mended in 0.1.1']),
  );
});

it('erases the bytes of what it released, tokens and all', async () => {
  const [first] = await parked([5]);
  await order(first, 'retry');
  await release().run();

  const { rows } = await schema.db.pool.query('SELECT record_key, headers, value FROM dead_letter');
  expect(rows).toEqual([{ record_key: null, headers: null, value: null }]);
});

it('leaves everything as it was where a record fails again, and names the one that did', async () => {
  const [first, second] = await parked([5, 6, 7]);
  await order(first, 'retry');

  const { run, effects, warned } = release(failingAt(6));
  expect(await run()).toBe(1);

  expect(effects).toEqual([]);
  expect(warned).toHaveLength(1);
  expect(await seen()).toEqual([]);
  expect(await states()).toEqual(['parked', 'parked', 'parked']);
  expect(await isHeld()).toBe(true);
  const letter = await transact(schema.db, (tx) => readLetter(tx, GROUP, second ?? -1n));
  expect(letter).toMatchObject({ why: 'bug', code: 'RangeError', attempts: 2 });
  expect(await told()).toMatchObject([
    {
      key: TASK,
      type: 'dead_letter.parked',
      data: { letterId: String(second), by: 'os:maria', attempts: 2 },
    },
  ]);
});

it('tries a failed order once, not again and again', async () => {
  const [first] = await parked([5]);
  await order(first, 'retry');
  const { run } = release(failingAt(5));

  await run();

  expect(await run()).toBe(0);
});

it('gives a record up, and handles those that waited for it alone', async () => {
  const [first] = await parked([5, 6, 7]);
  await order(first, 'drop');

  await release().run();

  expect(await seen()).toEqual([6, 7]);
  expect(await states()).toEqual(['dropped', 'released', 'released']);
  expect(await isHeld()).toBe(false);
  expect((await told()).map(({ data }) => data.how)).toEqual(['dropped', 'retried', 'retried']);
});

it('gives a record up that waits, and leaves the key held by the one that failed', async () => {
  const [, second] = await parked([5, 6, 7]);
  await order(second, 'drop');

  await release().run();

  expect(await seen()).toEqual([]);
  expect(await states()).toEqual(['parked', 'dropped', 'parked']);
  expect(await isHeld()).toBe(true);
});

it('gives nothing up where one that waited fails, which is then the next to be given up', async () => {
  const [first, second] = await parked([5, 6, 7]);
  await order(first, 'drop');
  await release(failingAt(6)).run();
  expect(await states()).toEqual(['parked', 'parked', 'parked']);

  await order(first, 'drop');
  await order(second, 'drop');
  await release(failingAt(6)).run();

  expect(await seen()).toEqual([7]);
  expect(await states()).toEqual(['dropped', 'dropped', 'released']);
});

it("tries a stranger's record by itself, and neither waits for a task nor takes its records along", async () => {
  const [strangers] = await parked([4], { holds: false });
  await parked([5, 6]);
  await order(strangers, 'retry');
  const free: boolean[] = [];

  await release(see, {
    onReleased: (_tx, { isFree }) => {
      free.push(isFree);
      return Promise.resolve(0);
    },
  }).run();

  expect(free).toEqual([false]);

  expect(await seen()).toEqual([4]);
  expect(await isHeld()).toBe(true);
  expect((await told()).map(({ key }) => key)).toEqual(['unknown']);
});

it('goes on with other keys where one fails', async () => {
  const [first] = await parked([5]);
  const [other] = await parked([9], { key: OTHER });
  await order(first, 'retry');
  await order(other, 'retry');

  expect(await release(failingAt(5)).run()).toBe(2);
  expect(await seen()).toEqual([9]);
});

it('leaves the order where the database fails in the middle, and carries it out once when it is back', async () => {
  const [first] = await parked([5, 6]);
  await order(first, 'retry');
  const dying = release(async (tx, each) => {
    const seen = await see(tx, each);
    if (seen === 6) await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
    return seen;
  });

  await expect(dying.run()).rejects.toThrow();
  expect(await seen()).toEqual([]);
  expect(await states()).toEqual(['retry', 'parked']);

  await release().run();
  expect(await seen()).toEqual([5, 6]);
});

it('carries an order out once where two processes take orders at the same time', async () => {
  const [first] = await parked([5, 6]);
  await order(first, 'retry');
  const processes = [release(), release(see, { db: schema.open() })];

  const taken = await Promise.all(processes.map(({ run }) => run()));

  expect(taken.reduce((sum, n) => sum + n, 0)).toBe(1);
  expect(await seen()).toEqual([5, 6]);
});

it('tells who takes part in its transaction what was released, and whether the key is free', async () => {
  const [first] = await parked([5, 6]);
  await order(first, 'retry');
  const told: object[] = [];

  const { run, effects } = release(see, {
    onReleased: (_tx, { key, isFree, letters }) => {
      told.push({ key, isFree, how: letters.map(({ how }) => how) });
      return Promise.resolve(-1);
    },
  });
  await run();

  expect(told).toEqual([{ key: TASK, isFree: true, how: ['retried', 'retried'] }]);
  expect(effects).toEqual([5, 6, -1]);
});

describe('a reader that finds the key held while it is being freed', () => {
  it('waits, and then finds it free', async () => {
    const [first] = await parked([5]);
    await order(first, 'retry');
    const reader = schema.open();
    let found: Promise<ReadonlySet<string>> | undefined;
    const { run } = release(async (tx, each) => {
      const seen = await see(tx, each);
      found = transact(reader, (other) => heldKeys(other, GROUP, [TASK]));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return seen;
    });

    await run();

    expect(await found).toEqual(new Set());
  });

  it('parks behind it first where it came first, and its record is released with the others', async () => {
    const [first] = await parked([5]);
    await order(first, 'retry');
    let releasing: Promise<number> | undefined;
    const { run } = release();

    await transact(schema.open(), async (tx) => {
      await heldKeys(tx, GROUP, [TASK]);
      releasing = run();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await park(tx, GROUP, [
        { record: record(6), why: 'behind', code: 'ERR_PARKED_BEHIND', detail: '', holds: true },
      ]);
    });
    await releasing;

    expect(await seen()).toEqual([5, 6]);
    expect(await isHeld()).toBe(false);
  });
});

it('takes no order for what is settled, or is not there', async () => {
  const [first] = await parked([5]);
  await order(first, 'drop');
  await release().run();

  expect(await order(first, 'retry')).toBe('dropped');
  expect(await order(999n, 'retry')).toBeNull();
  expect(await states()).toEqual(['dropped']);
});
