import type { BusRecord } from '#bus/bus.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { consumeBatch } from './consume.js';
import { transact, type Tx } from './database.js';
import { appendEvents } from './events.js';
import { readPositions } from './offsets.js';
import { storeMigrations } from './store-migrations.js';
import { fitPositions } from './store-meta.js';

const GROUP = 'specs';
const TOPIC = 'mayfly.task.events.v1';

const records = (...offsets: number[]): BusRecord[] =>
  offsets.map((offset) => ({
    topic: TOPIC,
    partition: 3,
    offset: BigInt(offset),
    appendedAtMs: 0,
    key: null,
    value: null,
    headers: {},
  }));

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('consume', [
    ...storeMigrations,
    { id: 'seen', sql: 'CREATE TABLE seen (seen_offset bigint PRIMARY KEY)' },
  ]);
});
afterEach(() => schema.drop());

const see = async (tx: Tx, wanted: readonly BusRecord[]) => {
  for (const { offset } of wanted) await tx.query('INSERT INTO seen VALUES ($1)', [offset]);
  return wanted.map(({ offset }) => Number(offset));
};
const seen = async () =>
  (await schema.db.pool.query<{ seen_offset: bigint }>('SELECT seen_offset FROM seen ORDER BY 1')).rows.map(
    (row) => Number(row.seen_offset),
  );
const position = async () =>
  (await readPositions(schema.db, GROUP, [{ topic: TOPIC, partition: 3 }]))[0]?.next;

it('moves the position together with the effects', async () => {
  const effects = await consumeBatch(schema.db, GROUP, records(4, 5), see);

  expect(effects).toEqual([4, 5]);
  expect(await seen()).toEqual([4, 5]);
  expect(await position()).toBe(6n);
});

it('drops the records below the position', async () => {
  await consumeBatch(schema.db, GROUP, records(4, 5), see);

  const effects = await consumeBatch(schema.db, GROUP, records(3, 4, 5, 6, 7), see);

  expect(effects).toEqual([6, 7]);
  expect(await seen()).toEqual([4, 5, 6, 7]);
});

it('shows no answer to a handler that was given what had been handled', async () => {
  const answered: number[][] = [];
  const ask = async (tx: Tx, wanted: readonly BusRecord[]) => {
    await tx.query('SELECT');
    answered.push(wanted.map(({ offset }) => Number(offset)));
  };

  await consumeBatch(schema.db, GROUP, records(4, 5), ask);
  await consumeBatch(schema.db, GROUP, records(4, 5, 6), ask);

  expect(answered).toEqual([[4, 5], [6]]);
});

it('has moved the position before anything else is asked', async () => {
  const asked: boolean[] = [];
  await consumeBatch(schema.db, GROUP, records(4), async (tx) => {
    const { rows } = await tx.query<{ isMoved: boolean }>(
      'SELECT EXISTS (SELECT FROM bus_offset WHERE next = 5) AS "isMoved"',
    );
    asked.push(rows[0]?.isMoved ?? false);
  });

  expect(asked).toEqual([true]);
});

it('never moves the position back', async () => {
  await consumeBatch(schema.db, GROUP, records(4, 5), see);

  const effects = await consumeBatch(schema.db, GROUP, records(1, 2), see);

  expect(effects).toEqual([]);
  expect(await position()).toBe(6n);
});

it('keeps neither position nor effects when handling fails', async () => {
  await consumeBatch(schema.db, GROUP, records(4), see);
  const failing = async (tx: Tx, wanted: readonly BusRecord[]) => {
    await see(tx, wanted);
    throw new Error('the handler failed');
  };

  await expect(consumeBatch(schema.db, GROUP, records(5), failing)).rejects.toThrow('the handler failed');

  expect(await seen()).toEqual([4]);
  expect(await position()).toBe(5n);
});

/** Takes a version that is there, as often as told. */
const losing = (races: number) => {
  let attempts = 0;
  return {
    handle: async (tx: Tx, wanted: readonly BusRecord[]) => {
      attempts += 1;
      const version = attempts <= races ? 1 : 2;
      await see(tx, wanted);
      await appendEvents(tx, [{ stream: 'task', version, type: 'task.ended', data: {}, ceId: 'ce' }]);
      return attempts;
    },
  };
};

it('decides again after a lost race', async () => {
  await losing(0).handle(schema.db.pool as unknown as Tx, []);
  await schema.db.pool.query('UPDATE event SET version = 1');

  expect(await consumeBatch(schema.db, GROUP, records(4), losing(2).handle)).toBe(3);
  expect(await seen()).toEqual([4]);
});

it('gives up after three lost races, and handles nothing', async () => {
  await losing(0).handle(schema.db.pool as unknown as Tx, []);
  await schema.db.pool.query('UPDATE event SET version = 1');

  await expect(consumeBatch(schema.db, GROUP, records(4), losing(3).handle)).rejects.toMatchObject({
    code: 'ERR_VERSION_TAKEN',
  });
  expect(await seen()).toEqual([]);
  expect(await position()).toBeUndefined();
});

it('handles a batch once when an old and a new owner of its partition have it at the same time', async () => {
  const owners = [schema.db, schema.open()];

  const effects = await Promise.all(owners.map((db) => consumeBatch(db, GROUP, records(4, 5), see)));

  expect(effects.map((each) => each.length).sort()).toEqual([0, 2]);
  expect(await seen()).toEqual([4, 5]);
});

describe('records that overtake others', () => {
  const move = (next: bigint, ...beyond: bigint[]) => [{ topic: TOPIC, partition: 3, next, beyond }];

  it('are dropped when they are read again, and noted until the position has come by', async () => {
    await consumeBatch(schema.db, GROUP, records(6, 8), see, move(4n, 6n, 8n));

    expect(await consumeBatch(schema.db, GROUP, records(4, 5, 6, 7), see)).toEqual([4, 5, 7]);
    expect(await readPositions(schema.db, GROUP, [{ topic: TOPIC, partition: 3 }])).toEqual([
      { topic: TOPIC, partition: 3, next: 8n, reached: 9n },
    ]);
    expect(await consumeBatch(schema.db, GROUP, records(8, 9), see)).toEqual([9]);
    expect(await seen()).toEqual([4, 5, 6, 7, 8, 9]);
    expect(await readPositions(schema.db, GROUP, [{ topic: TOPIC, partition: 3 }])).toEqual([
      { topic: TOPIC, partition: 3, next: 10n },
    ]);
  });

  it('are handled once when an old and a new owner of their partition have them at the same time', async () => {
    await consumeBatch(schema.db, GROUP, records(3), see);
    const owners = [schema.db, schema.open()];

    const effects = await Promise.all([
      consumeBatch(owners[0]!, GROUP, records(6, 8), see, move(4n, 6n, 8n)),
      consumeBatch(owners[1]!, GROUP, records(4, 8), see, move(5n, 8n)),
    ]);

    expect(effects.flat().sort()).toEqual([4, 6, 8]);
    expect(await consumeBatch(schema.db, GROUP, records(4, 5, 6, 7, 8), see)).toEqual([5, 7]);
  });

  it('are forgotten where the log ends before them: others will stand there', async () => {
    await consumeBatch(schema.db, GROUP, records(6, 8), see, move(4n, 6n, 8n));

    await transact(schema.db, (tx) =>
      fitPositions(tx, GROUP, [{ topic: TOPIC, partition: 3, oldest: 2n, next: 8n }]),
    );

    expect(await readPositions(schema.db, GROUP, [{ topic: TOPIC, partition: 3 }])).toEqual([
      { topic: TOPIC, partition: 3, next: 2n },
    ]);
  });
});

it('starts only the partitions that were assigned, and a new one at the oldest record', async () => {
  await consumeBatch(schema.db, GROUP, records(4), see);

  const positions = await readPositions(schema.db, GROUP, [
    { topic: TOPIC, partition: 3 },
    { topic: TOPIC, partition: 4 },
  ]);

  expect(positions).toEqual([{ topic: TOPIC, partition: 3, next: 5n }]);
  expect(await readPositions(schema.db, 'others', [{ topic: TOPIC, partition: 3 }])).toEqual([]);
});
