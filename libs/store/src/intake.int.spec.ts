import type { BusRecord } from '#bus/bus.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import type { Tx } from './database.js';
import { Intake } from './intake.js';
import type { IntakeParts } from './intake-parts.js';
import { readPositions } from './offsets.js';
import { park } from './parking.js';
import { storeMigrations } from './store-migrations.js';

const GROUP = 'specs';
const TOPIC = 'mayfly.task.events.v1';

let schema: FreshSchema;
let intake: Intake<string, string[]>;
let committed: string[][];
let warned: string[];
let dead: Error | undefined;
beforeEach(async () => {
  schema = await freshSchema('intake', [
    ...storeMigrations,
    { id: 'done', sql: 'CREATE TABLE done (n serial PRIMARY KEY, said text NOT NULL)' },
  ]);
  [committed, warned, dead] = [[], [], undefined];
});
afterEach(async () => {
  await intake.stop();
  await schema.drop();
});

const rec = (partition: number, offset: number, key: string, value: string): BusRecord => ({
  topic: TOPIC,
  partition,
  offset: BigInt(offset),
  appendedAtMs: 0,
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: {},
});

/** Notes what each record says; what says `poison` cannot be handled, and what says `unreadable` cannot be read. */
const opened = (more: Partial<IntakeParts<string, string[]>> = {}) =>
  new Intake<string, string[]>({
    db: schema.db,
    group: GROUP,
    read: (record) => {
      const said = String(record.value);
      if (said.includes('unreadable')) throw new TypeError('cannot be read');
      return said;
    },
    handle: async (tx, batch) => {
      for (const { said } of batch) {
        if (said.includes('poison')) throw new TypeError('cannot be handled');
        await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
      }
      return batch.map(({ said }) => said);
    },
    after: (effects) => committed.push(effects),
    setAside: async (tx, record) => {
      const holds = !String(record.value).includes('stranger');
      await park(tx, GROUP, [{ record, why: 'bug', code: 'TypeError', detail: '', holds }]);
      return { holds, effects: [] };
    },
    setBehind: async (tx, records) => {
      await park(
        tx,
        GROUP,
        records.map((record) => ({ record, why: 'behind', code: 'BEHIND', detail: '', holds: true })),
      );
      return [];
    },
    waitsBehind: () => true,
    warn: (_fields, message) => warned.push(message),
    onDead: (cause) => (dead = cause),
    ...more,
  });

const done = async () =>
  (await schema.db.pool.query<{ said: string }>('SELECT said FROM done ORDER BY n')).rows.map(
    ({ said }) => said,
  );
const parked = async () =>
  (
    await schema.db.pool.query<{ said: string }>(
      `SELECT why || ' ' || convert_from(value, 'utf8') AS said FROM dead_letter ORDER BY id`,
    )
  ).rows.map(({ said }) => said);
const positions = async (...partitions: number[]) =>
  (
    await readPositions(
      schema.db,
      GROUP,
      partitions.map((partition) => ({ topic: TOPIC, partition })),
    )
  )
    .map(({ partition, next }) => `${partition}:${next}`)
    .sort();
const many = (partition: number, count: number, key: string) =>
  Array.from({ length: count }, (_, i) => rec(partition, i, key, `${key}${i}`));

describe('records of several partitions', () => {
  it('are handled in one transaction while another commits, and all positions move with it', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    intake = opened({
      handle: async (tx, batch) => {
        if (batch.some(({ said }) => said === 'a0')) await held;
        for (const { said } of batch) await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
        return batch.map(({ said }) => said);
      },
    });
    await intake.take([rec(0, 0, 'a', 'a0')]);
    await intake.take([rec(1, 7, 'b', 'b0'), rec(1, 8, 'b', 'b1')]);
    await intake.take([rec(0, 1, 'a', 'a1')]);
    letGo();
    await intake.idle();

    expect(committed).toEqual([['a0'], ['b0', 'b1', 'a1']]);
    expect(await positions(0, 1)).toEqual(['0:2', '1:9']);
  });

  it('gather for as long as none of them hurries', async () => {
    intake = opened({ gatherMs: 60_000, hurries: (record) => String(record.value) === 'now' });

    await intake.take([rec(0, 0, 'a', 'a0')]);
    await intake.take([rec(1, 0, 'b', 'b0')]);
    expect(await done()).toEqual([]);
    await intake.take([rec(2, 0, 'c', 'now')]);
    await intake.idle();

    expect(committed).toEqual([['a0', 'b0', 'now']]);
  });

  it('gather no longer once they are told to hurry', async () => {
    intake = opened({ gatherMs: 60_000 });

    await intake.take([rec(0, 0, 'a', 'a0')]);
    intake.hurry();
    await intake.idle();

    expect(committed).toEqual([['a0']]);
  });

  it('that say nothing to the reader move their position all the same', async () => {
    intake = opened({ concerns: (record) => String(record.value) !== 'idle' });

    await intake.take([rec(0, 0, 'a', 'idle')]);
    await intake.stop();

    expect(await done()).toEqual([]);
    expect(await positions(0)).toEqual(['0:1']);
  });
});

describe('a record that cannot be handled', () => {
  it('in the middle of five hundred costs the others a few transactions, and no wait', async () => {
    let transactions = 0;
    intake = opened({
      handle: async (tx, batch) => {
        transactions += 1;
        for (const { said } of batch) {
          await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
          if (said === 'poison') throw new TypeError('cannot be handled');
        }
        return [];
      },
    });
    const records = many(0, 501, 'other').map((record, i) =>
      i === 250 ? rec(0, i, 'bad', 'poison') : record,
    );

    await intake.take(records);
    await intake.idle();

    expect(await done()).toEqual(
      records.map((record) => String(record.value)).filter((said) => said !== 'poison'),
    );
    expect(await parked()).toEqual(['bug poison']);
    expect(await positions(0)).toEqual(['0:501']);
    // Six batches, one of which is halved seven times, and three tries of the record itself.
    expect(transactions).toBeLessThanOrEqual(6 + 2 * 7 + 3);
  });

  it('has later records of its key wait behind it, and nobody else', async () => {
    intake = opened();

    await intake.take([rec(0, 0, 'bad', 'poison'), rec(0, 1, 'good', 'g0'), rec(0, 2, 'bad', 'later')]);
    await intake.take([rec(0, 3, 'bad', 'latest'), rec(0, 4, 'good', 'g1')]);
    await intake.idle();

    expect(await done()).toEqual(['g0', 'g1']);
    expect(await parked()).toEqual(['bug poison', 'behind later', 'behind latest']);
  });

  it('holds nothing where its sender may not', async () => {
    intake = opened();

    await intake.take([rec(0, 0, 'key', 'poison of a stranger'), rec(0, 1, 'key', 'later')]);
    await intake.idle();

    expect(await done()).toEqual(['later']);
    expect(await parked()).toEqual(['bug poison of a stranger']);
  });

  it('is set aside where reading it is what fails', async () => {
    intake = opened();

    await intake.take([rec(0, 0, 'a', 'a0'), rec(0, 1, 'bad', 'unreadable'), rec(0, 2, 'a', 'a1')]);
    await intake.idle();

    expect(await done()).toEqual(['a0', 'a1']);
    expect(await parked()).toEqual(['bug unreadable']);
  });

  it('is remembered by whoever reads the partition next', async () => {
    intake = opened();
    await intake.take([rec(0, 0, 'bad', 'poison')]);
    await intake.stop();

    intake = opened();
    await intake.remember();
    await intake.take([rec(0, 1, 'bad', 'later')]);
    await intake.idle();

    expect(await parked()).toEqual(['bug poison', 'behind later']);
  });

  it('is asked for where another owner of the partition was at work in between', async () => {
    intake = opened();
    const other = opened();
    await other.take([rec(0, 0, 'bad', 'poison')]);
    await other.stop();

    await intake.take([rec(0, 0, 'bad', 'poison'), rec(0, 1, 'bad', 'later')]);
    await intake.idle();

    expect(await parked()).toEqual(['bug poison', 'behind later']);
  });

  it('ends the reader where it cannot be set aside either', async () => {
    intake = opened({ setAside: () => Promise.reject(new TypeError('nor this')) });

    await intake.take([rec(0, 0, 'bad', 'poison')]);
    await intake.idle();

    expect(dead?.message).toBe('nor this');
    await expect(intake.take([rec(0, 1, 'a', 'a0')])).rejects.toThrow('nor this');
    expect(await positions(0)).toEqual([]);
  });
});

describe('a database that fails', () => {
  const failing = (times: number) => {
    let left = times;
    return async (tx: Tx, said: string): Promise<void> => {
      if (left > 0) {
        left -= 1;
        await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
      }
      await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
    };
  };

  it('is waited for: nothing is skipped, and nothing is parked', async () => {
    const insert = failing(3);
    intake = opened({
      handle: async (tx, batch) => {
        for (const { said } of batch) await insert(tx, said);
        return batch.map(({ said }) => said);
      },
    });

    await intake.take([rec(0, 0, 'a', 'a0'), rec(0, 1, 'a', 'a1')]);
    while (intake.failingMs() === 0) await sleep(5);
    await intake.take([rec(0, 2, 'a', 'a2')]);
    await intake.idle();

    expect(await done()).toEqual(['a0', 'a1', 'a2']);
    expect(await parked()).toEqual([]);
    expect(intake.failingMs()).toBe(0);
    expect(warned).toContain('the database fails: what was read waits for it');
  });

  it('holds up the bus once enough waits, and lets it go on afterwards', async () => {
    const insert = failing(3);
    intake = opened({
      handle: async (tx, batch) => {
        for (const { said } of batch) await insert(tx, said);
        return [];
      },
    });
    let taken = false;

    const taking = intake.take(many(0, 2_500, 'a')).then(() => (taken = true));
    while (intake.failingMs() === 0) await sleep(5);
    expect(taken).toBe(false);
    await taking;
    await intake.idle();

    expect(await done()).toHaveLength(2_500);
  });

  it('keeps nobody who stops: what waits is read again by the next', async () => {
    intake = opened({
      handle: async (tx) => {
        await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
        return [];
      },
    });
    await intake.take([rec(0, 0, 'a', 'a0')]);
    while (intake.failingMs() === 0) await sleep(5);
    await intake.stop();
    expect(await positions(0)).toEqual([]);

    intake = opened();
    await intake.take([rec(0, 0, 'a', 'a0')]);
    await intake.idle();
    expect(await done()).toEqual(['a0']);
  });
});

it('forgets what waits when partitions move', async () => {
  intake = opened({ gatherMs: 60_000, hurries: () => false });
  await intake.take([rec(0, 0, 'a', 'a0')]);

  await intake.forget();
  await intake.idle();

  expect(await done()).toEqual([]);
});
