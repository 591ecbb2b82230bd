import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEnd } from '#bus/bus.js';
import { Metrics } from '#telemetry/metrics.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { until } from '../test/until.js';
import { storeHealth, type StoreHealth } from './health.js';
import { storeMigrations } from './store-migrations.js';

const TOPICS = ['task', 'credential'];
const limits = { lookEveryMs: 10, stalledMs: 200, stuckMs: 200 };

let schema: FreshSchema;
let metrics: Metrics;
let ends: LogEnd[] | Error | undefined;
let relay: { oldestMs: () => number; refused: readonly bigint[] } | undefined;
let told: string[];
let health: StoreHealth;
beforeEach(async () => {
  schema = await freshSchema('health', storeMigrations);
  metrics = new Metrics('broker');
  ends = [];
  relay = undefined;
  told = [];
  health = storeHealth(
    {
      db: schema.db,
      group: 'broker',
      topics: TOPICS,
      bus: () =>
        ends === undefined
          ? undefined
          : { ends: () => (ends instanceof Error ? Promise.reject(ends) : Promise.resolve(ends ?? [])) },
      relay: () => relay,
      metrics,
      warn: (_fields, message) => told.push(message),
    },
    limits,
  );
});
afterEach(async () => {
  await health.stop();
  await schema.drop();
});

const end = (topic: string, partition: number, oldest: bigint, next: bigint): LogEnd => ({
  topic,
  partition,
  oldest,
  next,
});
const readUpTo = (topic: string, partition: number, next: bigint, group = 'broker') =>
  schema.db.pool.query(
    `INSERT INTO bus_offset (consumer_group, topic, partition, next) VALUES ($1, $2, $3, $4)
       ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next = excluded.next`,
    [group, topic, partition, next],
  );
const queued = async (ageMs: number): Promise<bigint> => {
  const { rows } = await schema.db.pool.query<{ id: bigint }>(
    `INSERT INTO outbox (topic, key, head, value, queued_at)
       VALUES ('task', 'k', '{}', '', clock_timestamp() - $1 * interval '1 millisecond') RETURNING id`,
    [ageMs],
  );
  return rows[0]?.id ?? -1n;
};
const shows = (line: string) =>
  until(
    async () => (await metrics.text()).split('\n').includes(line),
    () => metrics.text(),
  );

it('has no reason while nothing waits', async () => {
  ends = [end('task', 0, 0n, 4n)];
  await readUpTo('task', 0, 4n);

  await shows('mayfly_consumer_lag_records{topic="task",service="broker"} 0');
  await sleep(limits.stalledMs * 1.5);
  expect(health.reasons()).toEqual([]);
  expect(health.outboxOldestMs()).toBe(0);
});

it('counts what its own group has not handled, from the oldest record that is still there', async () => {
  ends = [
    end('task', 0, 0n, 10n),
    end('task', 1, 0n, 7n),
    end('task', 2, 90n, 100n),
    end('credential', 0, 3n, 5n),
  ];
  await readUpTo('task', 0, 4n);
  await readUpTo('task', 1, 7n);
  await readUpTo('task', 2, 2n);
  await readUpTo('credential', 0, 5n, 'auditor');

  await shows('mayfly_consumer_lag_records{topic="task",service="broker"} 16');
  await shows('mayfly_consumer_lag_records{topic="credential",service="broker"} 2');
});

it('is told when a partition with records does not come forward, and no more once it does', async () => {
  ends = [end('task', 0, 0n, 1_000_000n)];
  await readUpTo('task', 0, 4n);

  await until(() => health.reasons().includes('records are not being read'));
  let next = 4n;
  await until(async () => {
    await readUpTo('task', 0, (next += 1n));
    return health.reasons().length === 0;
  });
});

it('says that how far the topics are read is not known while the bus does not answer', async () => {
  ends = new Error('away');

  await until(() => told.includes('how far the topics are read is not known'));
  ends = undefined;
  await sleep(30);
  expect(health.reasons()).toEqual([]);
});

it('shows the age of the oldest record in the outbox, whichever process wrote it, but not of what the bus refuses', async () => {
  const refused = await queued(90_000);
  await until(() => health.outboxOldestMs() >= 90_000);

  relay = { oldestMs: () => 0, refused: [refused] };
  await until(() => health.outboxOldestMs() === 0);
  await queued(60_000);
  await until(() => health.outboxOldestMs() >= 60_000);
  expect(health.outboxOldestMs()).toBeLessThan(90_000);

  relay = { oldestMs: () => 120_000, refused: [refused] };
  expect(health.outboxOldestMs()).toBe(120_000);
});

it('is told of a transaction that does not end', async () => {
  const client = await schema.open().pool.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1');

  await until(() => health.reasons().includes('a transaction is stuck'));
  await client.query('ROLLBACK');
  client.release();
  await until(() => health.reasons().length === 0);
});
