import { setTimeout as sleep } from 'node:timers/promises';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { Alive, isDead } from './alive.js';
import type { Database } from './database.js';

const ID = '5f0c8f5e-3c0e-4d43-9d5c-6a4c1c1b2a10';

let schema: FreshSchema;
let other: Database;
let warnings: string[];
const processes: Alive[] = [];
beforeEach(async () => {
  schema = await freshSchema('alive');
  other = schema.open();
  warnings = [];
});
afterEach(async () => {
  for (const alive of processes.splice(0)) alive.stop();
  await schema.drop();
});

async function living(id = ID): Promise<Alive> {
  const alive = await Alive.as(id, schema.db, (_fields, message) => warnings.push(message));
  processes.push(alive);
  return alive;
}
const becomes = async (dead: boolean) => {
  for (const endMs = Date.now() + 30_000; (await isDead(other.pool, ID)) !== dead;) {
    if (Date.now() > endMs) throw new Error('waited in vain');
    await sleep(10);
  }
};

it('knows a process that lives, and one that nobody ever heard of', async () => {
  await living();

  expect(await isDead(other.pool, ID)).toBe(false);
  expect(await isDead(other.pool, 'another')).toBe(true);
});

it('knows at once that a process has stopped', async () => {
  const alive = await living();

  alive.stop();

  await becomes(true);
});

it('takes a process for dead whose session was cut off, until it has opened another', async () => {
  await living();
  const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = current_schema() AND query LIKE '%pg_advisory_lock(%' AND pid <> pg_backend_pid()`;

  await other.pool.query(kill);
  // It waits a second from then on before it opens another.
  while (warnings.length === 0) await sleep(10);
  expect(await isDead(other.pool, ID)).toBe(true);
  await becomes(false);

  expect(warnings).toEqual(['the session that shows this process alive was lost']);
});

it('lets services in schemas of their own use the same id', async () => {
  const elsewhere = await freshSchema('alive');
  await living();

  expect(await isDead(elsewhere.db.pool, ID)).toBe(true);
  await elsewhere.drop();
});
