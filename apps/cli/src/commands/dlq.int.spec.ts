import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TASK_EVENTS } from '#events/topics.js';
import { transact } from '#store/database.js';
import { park } from '#store/parking.js';
import { releaseOrders } from '#store/release.js';
import { storeMigrations } from '#store/store-migrations.js';
import { freshSchema, type FreshSchema } from '../../../../libs/store/test/fresh-schema.js';
import { program } from '../program.js';

const TASK = '01a20fb8-c172-74ad-b8be-e0ba85b79c26';

let schema: FreshSchema;
let folder: string;
let url: string | undefined;
let said: { stdout: string; stderr: string };
beforeEach(async () => {
  url = process.env.DATABASE_URL;
  schema = await freshSchema('dlq', storeMigrations);
  folder = await mkdtemp(join(tmpdir(), 'mayfly-dlq-'));
  const sample = await readFile('deploy/sample/mayfly.yaml', 'utf8');
  await writeFile(
    join(folder, 'mayfly.yaml'),
    sample.replace('schema: broker', `schema: ${schema.db.schema}`),
  );
});
afterEach(async () => {
  await schema.drop();
  await rm(folder, { recursive: true });
});

async function mayfly(...args: string[]): Promise<void> {
  said = { stdout: '', stderr: '' };
  const env = {
    MAYFLY_ENV: 'development',
    MAYFLY_STATE_DIR: folder,
    KAFKA_BROKERS: 'k:1',
    MAYFLY_BROKER_DATABASE_URL: url,
  };
  const streams = {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
  };
  await program(env, streams).parseAsync(['dlq', ...args, '--config', join(folder, 'mayfly.yaml')], {
    from: 'user',
  });
}

const parked = (...offsets: number[]) =>
  transact(schema.db, (tx) =>
    park(
      tx,
      'broker',
      offsets.map((offset, n) => ({
        record: {
          topic: TASK_EVENTS,
          partition: 3,
          offset: BigInt(offset),
          appendedAtMs: 0,
          key: Buffer.from(TASK),
          value: Buffer.from('{"rows":1}'),
          headers: { 'mayfly-svid': Buffer.from('a.secret.token'), ce_id: Buffer.from('an id') },
        },
        why: n === 0 ? ('bug' as const) : ('behind' as const),
        code: n === 0 ? 'TypeError' : 'ERR_PARKED_BEHIND',
        detail: 'TypeError',
        holds: true,
      })),
    ),
  );
const release = (fails = false) =>
  releaseOrders({
    db: schema.db,
    group: 'broker',
    handle: () => (fails ? Promise.reject(new RangeError('no')) : Promise.resolve()),
    after: () => undefined,
    warn: () => undefined,
  });
const ordered = async () =>
  (await schema.db.pool.query('SELECT state, ordered_by, reason FROM dead_letter ORDER BY id'))
    .rows as object[];

it('lists what is parked, and what waits behind it when asked to', async () => {
  await parked(5, 6);

  await mayfly('list', '--service', 'broker');
  expect(said.stdout).toMatch(/^broker 1 .*TypeError .*1 waits behind\n2 parked\n$/);
  await mayfly('list', '--service', 'broker', '--all', '--json');
  expect(JSON.parse(said.stdout)).toMatchObject({
    total: 2,
    letters: [{ id: '1' }, { id: '2', why: 'behind' }],
  });
});

it('says that nothing is parked', async () => {
  await mayfly('list', '--service', 'broker');
  expect(said.stdout).toBe('nothing is parked\n');
});

it('shows one without its token', async () => {
  await parked(5);

  await mayfly('show', '1');
  expect(said.stdout).toContain('an id');
  expect(said.stdout).toMatch(/mayfly-svid: sha256:[0-9a-f]{64}/);
  await mayfly('show', '1', '--json');
  expect(JSON.parse(said.stdout)).toMatchObject({ value: { json: { rows: 1 } } });
  expect(said.stdout).not.toContain('a.secret.token');
});

it('orders a retry in the name of the login, and waits until it is done', async () => {
  await parked(5);

  const done = mayfly('retry', '1', '--reason', 'mended in 0.1.1');
  for (; !JSON.stringify(await ordered()).includes('retry'););
  await release();
  await done;

  expect(said.stdout).toBe('record 1 of the broker is released\n');
  expect(await ordered()).toMatchObject([
    { ordered_by: expect.stringMatching(/^os:/) as string, reason: 'mended in 0.1.1' },
  ]);
});

it('fails where the record fails again', async () => {
  await parked(5);

  const done = mayfly('retry', '1');
  const failed = expect(done).rejects.toMatchObject({ code: 'ERR_CLI_STILL_PARKED' });
  for (; !JSON.stringify(await ordered()).includes('retry'););
  await release(true);
  await failed;
});

it('says where the service has not taken the order yet', async () => {
  await parked(5);

  await mayfly('retry', '1', '--wait', '0', '--as', 'maria');

  expect(said.stdout).toBe('record 1 of the broker is to be tried again\n');
  expect(said.stderr).toContain('is it running?');
  expect(await ordered()).toMatchObject([{ state: 'retry', ordered_by: 'maria' }]);
});

it.each([
  ['without a reason', ['drop', '1', '--confirm'], 'ERR_CLI_USAGE'],
  ['without --confirm', ['drop', '1', '--reason', 'x'], 'ERR_CLI_USAGE'],
  ['of what is no number', ['drop', '1;x', '--reason', 'x', '--confirm'], 'ERR_CLI_USAGE'],
  ['of what was never parked', ['drop', '99', '--reason', 'x', '--confirm'], 'ERR_CLI_NOT_FOUND'],
])('refuses a drop %s, and orders nothing', async (_what, args, code) => {
  await parked(5);

  await expect(mayfly(...args)).rejects.toMatchObject({ code });
  expect(await ordered()).toMatchObject([{ state: 'parked', ordered_by: null }]);
});

it('refuses an order about what is settled', async () => {
  await parked(5);
  await mayfly('drop', '1', '--reason', 'garbage', '--confirm', '--wait', '0');
  await release();

  await expect(mayfly('retry', '1')).rejects.toMatchObject({
    code: 'ERR_CLI_SETTLED',
    message: 'record 1 of the broker was dropped already',
  });
});

it('says that a database is of an older Mayfly', async () => {
  await schema.db.pool.query('DROP TABLE dead_letter');
  await expect(mayfly('list', '--service', 'broker')).rejects.toMatchObject({ code: 'ERR_CLI_ANSWER' });
});

it('says that a database does not answer, without its password', async () => {
  url = 'postgres://mayfly_broker:hunter2@127.0.0.1:1/mayfly';
  await expect(mayfly('list', '--service', 'broker')).rejects.toMatchObject({
    code: 'ERR_CLI_UNREACHABLE',
    message: "the broker's database does not answer (ECONNREFUSED): mayfly doctor",
  });
});
