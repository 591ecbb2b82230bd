/** A reader killed without warning, twice, ends up with every record exactly once: positions and effects are one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase, type Database } from '#store/database.js';
import { migrate } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';
import type { Bus } from '../bus.js';
import { openKafka } from './kafka-bus.js';

const at = (path: string) => fileURLToPath(new URL(`../../test/${path}`, import.meta.url));
const RECORDS = 600;
const SIZE_BYTES = 20_000;

describe('a reader that is killed', () => {
  const id = randomUUID().replaceAll('-', '');
  const schema = `killed_${id}`;
  const topic = `killed-${id}`;
  let bus: Bus;
  let db: Database;
  let reader: ChildProcess | undefined;

  beforeAll(async () => {
    db = openDatabase({ url: process.env['DATABASE_URL'] ?? '', schema, application: 'killed-reader-spec' });
    await db.pool.query(`CREATE SCHEMA ${schema}`);
    await migrate(db, [
      ...storeMigrations,
      { id: 'seen', sql: 'CREATE TABLE seen (id serial, partition int, "offset" bigint, key text)' },
    ]);
    bus = await openKafka({
      brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','),
      clientId: 'killed-reader-spec',
    });
    await bus.ensureTopics([{ topic, partitions: 6, config: {} }]);
  });
  afterAll(async () => {
    reader?.kill('SIGKILL');
    await bus.close();
    await db.pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await db.close();
  });

  /** @param diesAfter so many rows, in the middle of the next transaction */
  function start(diesAfter = Infinity): ChildProcess {
    const args = ['--conditions=source', '--import', at('typescript-hooks.mjs'), at('killed-reader.mjs')];
    return spawn(process.execPath, [...args, topic, `group-${id}`, schema], {
      ...{ env: { ...process.env, DIES_AFTER: String(diesAfter) }, stdio: ['ignore', 'inherit', 'inherit'] },
    });
  }

  async function seen(): Promise<number> {
    const { rows } = await db.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM seen');
    return rows[0]?.n ?? 0;
  }
  async function untilSeen(count: number): Promise<void> {
    for (const endMs = Date.now() + 60_000; (await seen()) < count; await sleep(5)) {
      if (Date.now() > endMs) throw new Error('the reader did not get there in time');
    }
  }

  it('goes on where its transactions ended, and has every record once, in order', async () => {
    const value = Buffer.alloc(SIZE_BYTES, 'x');
    const keys = Array.from({ length: RECORDS }, (_, n) => String(n));
    await bus.publish(keys.map((key) => ({ topic, key, value, headers: {} })));
    const atKill: number[] = [];

    for (const diesAfter of [1, RECORDS / 6]) {
      reader = start(diesAfter);
      expect(await once(reader, 'exit')).toEqual([null, 'SIGKILL']);
      atKill.push(await seen());
    }
    reader = start();
    await untilSeen(RECORDS);
    // Anything read twice would follow now.
    await sleep(500);

    const { rows } = await db.pool.query<{ partition: number; offset: bigint; key: string }>(
      'SELECT partition, "offset", key FROM seen ORDER BY id',
    );
    expect(atKill.every((count) => count > 0 && count < RECORDS)).toBe(true);
    expect(rows).toHaveLength(RECORDS);
    expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(keys));
    for (let partition = 0; partition < 6; partition += 1) {
      const offsets = rows.filter((row) => row.partition === partition).map(({ offset }) => Number(offset));
      expect(offsets).toEqual(offsets.map((_, n) => n));
    }
  }, 180_000);
});
