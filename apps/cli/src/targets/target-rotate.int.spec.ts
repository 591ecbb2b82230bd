import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { targetAccountMigration } from '#service/target-accounts.js';
import { storeMigrations } from '#store/store-migrations.js';
import { freshSchema, type FreshSchema } from '../../../../libs/store/test/fresh-schema.js';
import { program } from '../program.js';

let broker: FreshSchema;
let revoker: FreshSchema;
let folder: string;
let said: { stdout: string; stderr: string };
beforeEach(async () => {
  broker = await freshSchema('rotate_b', [...storeMigrations, targetAccountMigration('broker')]);
  revoker = await freshSchema('rotate_r', [...storeMigrations, targetAccountMigration('revoker')]);
  folder = await mkdtemp(join(tmpdir(), 'mayfly-rotate-'));
  const sample = await readFile('deploy/sample/mayfly.yaml', 'utf8');
  await writeFile(
    join(folder, 'mayfly.yaml'),
    sample
      .replace('schema: broker', `schema: ${broker.db.schema}`)
      .replace('schema: revoker', `schema: ${revoker.db.schema}`),
  );
});
afterEach(async () => {
  await Promise.all([broker.drop(), revoker.drop()]);
  await rm(folder, { recursive: true });
});

async function rotate(...args: string[]): Promise<void> {
  said = { stdout: '', stderr: '' };
  const env = {
    MAYFLY_ENV: 'development',
    MAYFLY_STATE_DIR: folder,
    KAFKA_BROKERS: 'k:1',
    MAYFLY_BROKER_DATABASE_URL: process.env.DATABASE_URL,
    MAYFLY_REVOKER_DATABASE_URL: process.env.DATABASE_URL,
  };
  const streams = {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
  };
  const config = join(folder, 'mayfly.yaml');
  await program(env, streams).parseAsync(['target', 'rotate', ...args, '--config', config, '--as', 'ada'], {
    from: 'user',
  });
}
const hasAccount = ({ db }: FreshSchema, ...targets: string[]) =>
  db.pool.query('INSERT INTO target_account (target) SELECT unnest($1::text[])', [targets]);
const ordered = async ({ db }: FreshSchema) =>
  (
    await db.pool.query<{ target: string }>(
      "SELECT target FROM target_account WHERE ordered_by = 'ada' ORDER BY target",
    )
  ).rows.map(({ target }) => target);
/** As a service does, as soon as there is an order. */
async function carriesOut({ db }: FreshSchema): Promise<void> {
  for (let n = 0; n === 0;)
    n =
      (await db.pool.query('UPDATE target_account SET ordered_by = NULL WHERE ordered_by IS NOT NULL'))
        .rowCount ?? 0;
}

it('orders other passwords of both services, at one target or at all, and says what is not done yet', async () => {
  await hasAccount(broker, 'shop', 'till');
  await hasAccount(revoker, 'shop');
  await rotate('shop', '--wait', '1');

  expect([await ordered(broker), await ordered(revoker)]).toEqual([['shop'], ['shop']]);
  expect(said.stdout).toContain('the account of the broker at shop is to have one');
  expect(said.stderr).toContain('are the services running?');

  await rotate('--wait', '1');
  expect(await ordered(broker)).toEqual(['shop', 'till']);
});

it('waits until the services have done it', async () => {
  await hasAccount(broker, 'shop');
  await hasAccount(revoker, 'shop');
  await Promise.all([rotate('--wait', '30', '--json'), carriesOut(broker), carriesOut(revoker)]);

  expect(JSON.parse(said.stdout)).toEqual({
    by: 'ada',
    done: [
      { service: 'broker', target: 'shop' },
      { service: 'revoker', target: 'shop' },
    ],
    waiting: [],
  });
});

it('orders that of one service alone', async () => {
  await hasAccount(broker, 'shop');
  await hasAccount(revoker, 'shop');
  await rotate('--service', 'revoker', '--wait', '1');

  expect([await ordered(broker), await ordered(revoker)]).toEqual([[], ['shop']]);
});

it('says so where no password is in a file', async () => {
  await hasAccount(broker, 'shop');
  await expect(rotate('till')).rejects.toMatchObject({
    code: 'ERR_CLI_ANSWER',
    message: expect.stringContaining('login.passwordFile') as unknown,
  });
  expect(await ordered(broker)).toEqual([]);
});
