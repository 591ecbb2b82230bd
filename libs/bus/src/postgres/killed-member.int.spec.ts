/** Members of a group that are killed without warning: their partitions move at once, and every record has its effect once. */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freshSchema, type FreshSchema } from '../../../store/test/fresh-schema.js';
import { storeMigrations } from '#store/store-migrations.js';
import { freshBusSchema, type FreshBusSchema } from '../../test/fresh-bus-schema.js';
import type { Bus } from '../bus.js';
import { unique } from '../contract-support.contract.js';
import { openPostgresBus } from './postgres-bus.js';

const at = (path: string) => fileURLToPath(new URL(`../../test/${path}`, import.meta.url));
const PARTITIONS = 6;

describe('a member that is killed', () => {
  const [topic, group] = [unique('killed'), unique('group')];
  let own: FreshSchema;
  let log: FreshBusSchema;
  let bus: Bus;
  const readers: ChildProcess[] = [];

  beforeAll(async () => {
    log = await freshBusSchema('killed');
    own = await freshSchema('killed', [
      ...storeMigrations,
      { id: 'seen', sql: 'CREATE TABLE seen (id serial, partition int, "offset" bigint, key text)' },
    ]);
    bus = await openPostgresBus({ url: log.url, schema: log.schema, clientId: 'killed-member-spec' });
    await bus.ensureTopics([{ topic, partitions: PARTITIONS, config: {} }]);
  });
  afterAll(async () => {
    for (const reader of readers) reader.kill('SIGKILL');
    await bus.close();
    await own.drop();
    await log.drop();
  });

  function start(): ChildProcess {
    const args = ['--conditions=source', '--import', at('typescript-hooks.mjs'), at('killed-reader.mjs')];
    const reader = spawn(process.execPath, [...args, topic, group, own.db.schema, log.schema], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    readers.push(reader);
    return reader;
  }
  async function count(pool: FreshSchema['db']['pool'], query: string): Promise<number> {
    const { rows } = await pool.query<{ n: number }>(query);
    return rows[0]?.n ?? 0;
  }
  const seen = () => count(own.db.pool, 'SELECT count(*)::int AS n FROM seen');
  const members = () => count(log.db.pool, 'SELECT count(*)::int AS n FROM member WHERE is_alive(lock_key)');
  async function until(condition: () => Promise<boolean>, withinMs = 40_000): Promise<void> {
    for (const endMs = Date.now() + withinMs; !(await condition()); await sleep(10)) {
      if (Date.now() > endMs) throw new Error('it did not come to that in time');
    }
  }
  const publish = (from: number, to: number) =>
    bus.publish(
      Array.from({ length: to - from }, (_, n) => ({
        topic,
        key: String(from + n),
        value: Buffer.alloc(20_000, 'x'),
        headers: {},
      })),
    );

  it('has its partitions moved to the other within seconds, and no record is lost or doubled', async () => {
    const first = start();
    await publish(0, 300);
    await until(async () => (await seen()) > 0);
    start();
    await until(async () => (await members()) === 2);
    await until(async () => (await seen()) === 300);

    await publish(300, 400);
    first.kill('SIGKILL');
    // It takes one; no timeout has to be over.
    await until(async () => (await seen()) === 400, 20_000);
    // Anything read twice would follow now.
    await sleep(300);

    const { rows } = await own.db.pool.query<{ partition: number; offset: bigint; key: string }>(
      'SELECT partition, "offset", key FROM seen ORDER BY id',
    );
    expect(rows).toHaveLength(400);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(400);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const offsets = rows.filter((row) => row.partition === partition).map(({ offset }) => Number(offset));
      expect(offsets).toEqual(offsets.map((_, n) => n));
    }
  }, 180_000);
});
