import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeMigrations } from '#store/store-migrations.js';
import { freshSchema, type FreshSchema } from '../../../../libs/store/test/fresh-schema.js';
import { program } from '../program.js';

/** What the command looks at, as the broker's migrations make it. */
const KEYS = {
  id: 'keys',
  sql: `CREATE TABLE token_key (kid text PRIMARY KEY, state text NOT NULL);
    CREATE TABLE token_key_order (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ordered_by text NOT NULL,
      how text NOT NULL CHECK (how IN ('ahead', 'at_once', 'compromised')))`,
};

let schema: FreshSchema;
let folder: string;
let said: { stdout: string; stderr: string };
beforeEach(async () => {
  schema = await freshSchema('key', [...storeMigrations, KEYS]);
  folder = await mkdtemp(join(tmpdir(), 'mayfly-key-'));
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

async function rotate(...args: string[]): Promise<void> {
  said = { stdout: '', stderr: '' };
  const env = {
    MAYFLY_ENV: 'development',
    MAYFLY_STATE_DIR: folder,
    KAFKA_BROKERS: 'k:1',
    MAYFLY_BROKER_DATABASE_URL: process.env.DATABASE_URL,
  };
  const streams = {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
  };
  const config = join(folder, 'mayfly.yaml');
  await program(env, streams).parseAsync(['key', 'rotate', '--config', config, ...args], { from: 'user' });
}
const sql = (text: string) => schema.db.pool.query(text);
const signing = () => sql("INSERT INTO token_key VALUES ('k1', 'active')");
const orders = async () =>
  (await sql('SELECT how, ordered_by FROM token_key_order ORDER BY id')).rows as unknown[];

it('leaves an order with the name of who gave it, and says that nobody has taken it yet', async () => {
  await signing();
  await rotate('--as', 'ada', '--wait', '1');
  await rotate('--as', 'ada', '--at-once', '--wait', '1');

  expect(await orders()).toEqual([
    { how: 'ahead', ordered_by: 'ada' },
    { how: 'at_once', ordered_by: 'ada' },
  ]);
  expect(said.stderr).toContain('no broker has taken the order yet');
});

it('waits until a broker has taken it, and names the key that will sign', async () => {
  await signing();
  const taken = rotate('--as', 'ada', '--wait', '30', '--json');
  for (let n = 0; n === 0;) n = (await sql('DELETE FROM token_key_order')).rowCount ?? 0;
  await sql("INSERT INTO token_key VALUES ('k2', 'published')");
  await taken;

  expect(JSON.parse(said.stdout)).toMatchObject({ order: 'ahead', by: 'ada', taken: true, active: 'k1' });
});

it('is not given for a key that is compromised without a second word', async () => {
  await signing();
  await expect(rotate('--compromised')).rejects.toMatchObject({ code: 'ERR_CLI_USAGE' });
  expect(await orders()).toEqual([]);

  await rotate('--compromised', '--confirm', '--as', 'ada', '--wait', '1');
  expect(await orders()).toEqual([{ how: 'compromised', ordered_by: 'ada' }]);
});

it('is refused where no tokens are made', async () => {
  await expect(rotate()).rejects.toMatchObject({ code: 'ERR_CLI_ANSWER' });
});
