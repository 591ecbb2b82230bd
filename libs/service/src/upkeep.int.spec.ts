import { setTimeout as sleep } from 'node:timers/promises';
import { inboxRule } from '#store/prune.js';
import { storeMigrations } from '#store/store-migrations.js';
import { Metrics } from '#telemetry/metrics.js';
import { freshSchema, type FreshSchema } from '../../store/test/fresh-schema.js';
import { reasonsOf } from './readiness.js';
import { storeUpkeep, type Upkeep } from './upkeep.js';

let schema: FreshSchema;
let metrics: Metrics;
let upkeep: Upkeep;
beforeEach(async () => {
  schema = await freshSchema('upkeep', storeMigrations);
  metrics = new Metrics('broker');
});
afterEach(async () => {
  await upkeep.drain.run();
  await schema.drop();
});

const open = () =>
  storeUpkeep({
    ...{ db: schema.db, group: 'broker', topics: ['task'], metrics, rules: [inboxRule(3_600_000)] },
    bus: () => undefined,
    relay: () => undefined,
    warn: () => undefined,
  });
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 30_000; !(await condition()); await sleep(5))
    if (Date.now() > endMs) throw new Error(`waited in vain\n${await metrics.text()}`);
}

it('a service is not ready while a record that a dead process left is not sent', async () => {
  await schema.db.pool.query(
    `INSERT INTO outbox (topic, key, head, value, queued_at) VALUES ('task', 'k', '{}', '', now() - interval '1 minute')`,
  );
  upkeep = open();

  await until(async () => (await reasonsOf(upkeep.readiness)).length > 0);
  expect(await reasonsOf(upkeep.readiness)).toEqual(['outbox is not being sent']);
  const [, ageS] =
    /^mayfly_outbox_oldest_seconds\{service="broker"\} (\S+)$/m.exec(await metrics.text()) ?? [];
  expect(Number(ageS)).toBeGreaterThanOrEqual(60);
});

it('what is pruned is counted, and nothing is before it begins', async () => {
  await schema.db.pool.query(
    `INSERT INTO inbox (sender, ce_id, wire_type, value_sha256, received_at)
       VALUES ('ann', 'ce-1', 'task.started', '00', now() - interval '2 hours')`,
  );
  upkeep = open();
  await sleep(50);
  expect((await schema.db.pool.query('SELECT FROM inbox')).rowCount).toBe(1);
  expect(await reasonsOf(upkeep.readiness)).toEqual([]);

  upkeep.begin();

  await until(async () =>
    (await metrics.text()).includes('mayfly_pruned_total{rule="inbox",service="broker"} 1'),
  );
  expect((await schema.db.pool.query('SELECT FROM inbox')).rowCount).toBe(0);
});
