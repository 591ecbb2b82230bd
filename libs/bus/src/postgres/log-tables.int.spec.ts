/** What the tables do to a reader, what retention lets go, and what a service's login cannot do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '#store/database.js';
import { freshBusSchema, type FreshBusSchema } from '../../test/fresh-bus-schema.js';
import type { Bus, BusRecord, Position } from '../bus.js';
import {
  freshTopic,
  handAtOffset,
  readAll,
  record,
  texts,
  unique,
  until,
} from '../contract-support.contract.js';
import { openPostgresBus } from './postgres-bus.js';
import { prepareBus } from './prepare.js';
import { sweep } from './retention.js';

describe('the bus in PostgreSQL', () => {
  let log: FreshBusSchema;
  let bus: Bus;

  beforeAll(async () => {
    log = await freshBusSchema('tables');
    bus = await openPostgresBus({ url: log.url, schema: log.schema, clientId: 'log-tables' });
  });
  afterAll(async () => {
    await bus.close();
    await log.drop();
  });

  /** As if everything had been appended that much earlier. */
  const age = (topic: string, ms: number) =>
    log.db.pool.query(
      `UPDATE log_record SET appended_at = appended_at - $2 * interval '1 ms' WHERE topic = $1`,
      [topic, ms],
    );
  const subscribe = (
    topic: string,
    onBatch: (records: readonly BusRecord[]) => Promise<void>,
    at?: bigint,
  ) => {
    const crashes: Error[] = [];
    const stored: Position[] = at === undefined ? [] : [{ topic, partition: 0, next: at }];
    const consumer = bus.subscribe({
      group: unique('group'),
      topics: [topic],
      positions: () => Promise.resolve(stored),
      onBatch,
      onCrash: (error) => void crashes.push(error),
    });
    return { consumer, crashes };
  };

  it('tells a waiting reader of a record within milliseconds', async () => {
    const topic = await freshTopic(bus);
    const delaysMs: number[] = [];
    let sentAtMs = 0;
    const { consumer } = subscribe(topic, () => {
      delaysMs.push(performance.now() - sentAtMs);
      return Promise.resolve();
    });
    await (await consumer).ready();
    for (let n = 1; n <= 20; n += 1) {
      sentAtMs = performance.now();
      await bus.publish([record(topic, 'k', String(n))]);
      await until(() => delaysMs.length === n);
    }

    // The median: who is told nothing looks by itself once a second, and has each record about as late.
    expect(delaysMs.sort((a, b) => a - b)[10]).toBeLessThan(500);
    await (await consumer).stop();
  });

  it('gives dense offsets in the order of the time to writers that append at once', async () => {
    const topic = await freshTopic(bus, 2);
    const others = await Promise.all(
      [1, 2, 3].map((n) => openPostgresBus({ url: log.url, schema: log.schema, clientId: `writer-${n}` })),
    );

    await Promise.all(
      others.flatMap((other, writer) =>
        Array.from({ length: 40 }, (_, n) =>
          other.publish([
            record(topic, `key-${n % 5}`, `${writer}/${n}`),
            record(topic, 'other', `${writer}/${n}`),
          ]),
        ),
      ),
    );

    const read = await readAll(bus, topic, 240);
    for (const partition of [0, 1]) {
      const of = read.filter((one) => one.partition === partition);
      expect(of.map(({ offset }) => Number(offset))).toEqual(of.map((_, n) => n));
      const times = of.map(({ appendedAtMs }) => appendedAtMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
    await Promise.all(others.map((other) => other.close()));
  });

  it('refuses a call as a whole when one of its records is refused', async () => {
    const topic = await freshTopic(bus);

    const publishing = bus.publish([record(topic, 'k', 'good'), record(unique('no-such-topic'), 'k', 'bad')]);

    await expect(publishing).rejects.toMatchObject({ code: 'ERR_RECORD_REFUSED' });
    await bus.publish([record(topic, 'k', 'next')]);
    expect(texts(await readAll(bus, topic, 1))).toEqual(['next']);
  });

  it('hands a partition over in batches of bounded size, one after the other', async () => {
    const topic = await freshTopic(bus);
    await bus.publish(Array.from({ length: 30 }, (_, n) => record(topic, 'k', `${n} `.padEnd(100_000, 'x'))));
    await bus.publish(Array.from({ length: 700 }, (_, n) => record(topic, 'k', String(n))));
    const batches: number[] = [];
    let atOnce = 0;
    const { consumer } = subscribe(topic, async (records) => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      await sleep(5);
      atOnce -= 1;
      batches.push(records.length);
    });

    await until(() => batches.reduce((sum, n) => sum + n, 0) === 730);

    expect(batches[0]).toBe(11);
    expect(Math.max(...batches)).toBe(500);
    await (await consumer).stop();
  });

  it('lets go of what is past a topic’s retention, and ends a reader that had not come so far', async () => {
    const topic = await freshTopic(bus, 1, { 'retention.ms': '60000' });
    await bus.publish([record(topic, 'k', '0'), record(topic, 'k', '1')]);
    await age(topic, 61_000);
    await bus.publish([record(topic, 'k', '2')]);

    await sweep(log.db);

    expect(texts(await readAll(bus, topic, 1))).toEqual(['2']);
    const { crashes } = subscribe(topic, () => Promise.reject(new Error('must not be called')), 1n);
    await until(() => crashes.length > 0);
    expect(crashes[0]).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      fields: { topic, partition: 0, next: '1', low: '2', high: '3' },
    });
  });

  it('ends a reader before which records are deleted while it has a batch in hand', async () => {
    const topic = await freshTopic(bus, 1, { 'retention.ms': '60000' });
    await bus.publish([record(topic, 'k', '0')]);
    const hand = handAtOffset(0n);
    const handled: string[] = [];
    const { crashes } = subscribe(topic, async (records) => {
      handled.push(...records.map(({ value }) => String(value)));
      await hand.handle(records);
    });
    await hand.begun;

    await bus.publish([record(topic, 'k', '1'), record(topic, 'k', '2')]);
    await age(topic, 61_000);
    await sweep(log.db);
    hand.release();
    await until(() => crashes.length > 0);

    expect(crashes[0]).toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE', fields: { next: '1', low: '3' } });
    expect(handled).toEqual(['0']);
  });

  it('keeps of a compacted topic the last of each key, and tombstones for a while', async () => {
    const config = { 'cleanup.policy': 'compact', 'segment.ms': '60000', 'delete.retention.ms': '60000' };
    const topic = await freshTopic(bus, 1, config);
    const tombstone = { topic, key: 'gone', value: null, headers: {} };
    await bus.publish([record(topic, 'a', 'a1'), record(topic, 'gone', 'g1'), record(topic, 'b', 'b1')]);
    await bus.publish([record(topic, 'a', 'a2'), tombstone]);
    const keysLeft = async (count: number) =>
      (await readAll(bus, topic, count)).map(({ key, value }) => `${String(key)}=${String(value)}`);

    await sweep(log.db);
    expect(await keysLeft(5)).toHaveLength(5);
    await age(topic, 61_000);
    await sweep(log.db);
    expect(await keysLeft(3)).toEqual(['b=b1', 'a=a2', 'gone=null']);
    await age(topic, 61_000);
    await sweep(log.db);

    expect(await keysLeft(2)).toEqual(['b=b1', 'a=a2']);
    expect(await bus.ends([topic])).toMatchObject([{ topic, partition: 0, next: 5n }]);
    // A gap that compaction left is none to a reader.
    const handled: string[] = [];
    const { consumer, crashes } = subscribe(
      topic,
      (records) => Promise.resolve(void handled.push(...records.map(({ value }) => String(value)))),
      1n,
    );
    await until(() => handled.length === 2 || crashes.length > 0);
    await bus.publish([record(topic, 'c', 'c1')]);
    await until(() => handled.length === 3 || crashes.length > 0);
    expect(handled).toEqual(['b1', 'a2', 'c1']);
    await (await consumer).stop();
  });

  it('joins again when the server ends a member’s session, and passes nothing over', async () => {
    const topic = await freshTopic(bus);
    const clientId = unique('cut');
    const own = await openPostgresBus({ url: log.url, schema: log.schema, clientId });
    const handled: string[] = [];
    let next = 0n;
    const consumer = await own.subscribe({
      group: unique('group'),
      topics: [topic],
      positions: () => Promise.resolve([{ topic, partition: 0, next }]),
      onBatch: (records) => {
        handled.push(...records.map(({ value }) => String(value)));
        next = (records.at(-1)?.offset ?? 0n) + 1n;
        return Promise.resolve();
      },
      onCrash: (error) => {
        throw error;
      },
    });
    await consumer.ready();
    await bus.publish([record(topic, 'k', '1')]);
    await until(() => handled.length === 1);

    await log.db.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
      [clientId],
    );
    await bus.publish([record(topic, 'k', '2')]);
    await until(() => handled.length === 2);
    await until(() => consumer.isReady());

    expect(handled).toEqual(['1', '2']);
    await own.close();
  });

  it('forgets members that were killed', async () => {
    await log.db.pool.query(`INSERT INTO member VALUES ('g', 'killed', '{t}', 42)`);

    await sweep(log.db);

    const { rows } = await log.db.pool.query(`SELECT FROM member WHERE "group" = 'g'`);
    expect(rows).toEqual([]);
  });

  describe('for a login that is let in', () => {
    const login = `bus_login_${unique('').slice(1, 9)}`;
    let url: string;

    beforeAll(async () => {
      await log.db.pool.query(`CREATE ROLE ${login} LOGIN PASSWORD 'of-a-spec'`);
      await prepareBus({ url: log.url, schema: log.schema }, [login]);
      const own = new URL(log.url);
      own.username = login;
      own.password = 'of-a-spec';
      url = own.href;
    });
    afterAll(async () => {
      await log.db.pool.query(`DROP OWNED BY ${login}`);
      await log.db.pool.query(`DROP ROLE ${login}`);
    });

    it('is a whole bus', async () => {
      const own = await openPostgresBus({ url, schema: log.schema, clientId: 'login' });
      const topic = await freshTopic(own);
      await own.publish([record(topic, 'k', '1')]);

      expect(texts(await readAll(own, topic, 1))).toEqual(['1']);
      await own.close();
    });

    it.each([
      ['alter a record', `UPDATE log_record SET value = 'x'`],
      ['delete one', 'DELETE FROM log_record'],
      ['write one of its own place and time', 'INSERT INTO log_record SELECT * FROM log_record LIMIT 0'],
      ['move the end of the log', 'UPDATE log_head SET high = 0'],
      ['change a topic', `UPDATE topic SET config = '{"retention.ms": "1"}'`],
      ['make a table', 'CREATE TABLE mine (n int)'],
    ])('does not let it %s', async (_what, sql) => {
      const db = openDatabase({ url, schema: log.schema, application: 'login' });

      await expect(db.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
      await db.close();
    });

    it('is not there before its owner has prepared it', async () => {
      const opening = openPostgresBus({ url, schema: 'no_such_schema', clientId: 'login' });

      await expect(opening).rejects.toMatchObject({ name: 'BusError', code: 'ERR_BUS_UNREACHABLE' });
    });
  });
});
