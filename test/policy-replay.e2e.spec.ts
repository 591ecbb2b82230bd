/** `mayfly policy replay` on a broker's database, on threads as it is installed: nothing flips by the same rules, and by others what must. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicySet } from '#policy/policy-set.js';
import type { RecordedCall } from '#policy/replay/rejudge.js';
import { brokerMigrations } from '../apps/broker/src/migrations.js';
import { recordedCall } from '../libs/policy/test/recorded-calls.js';
import { freshSchema, type FreshSchema } from '../libs/store/test/fresh-schema.js';

const root = join(import.meta.dirname, '..');
const SAMPLE = join(root, 'deploy', 'sample', 'policy');
const CALLS = 900;

let schema: FreshSchema;
let folder: string;
let stricter: string;
let calls: RecordedCall[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-replay-'));
  schema = await freshSchema('replay', brokerMigrations);
  const sample = readFileSync(join(root, 'deploy', 'sample', 'mayfly.yaml'), 'utf8');
  writeFileSync(join(folder, 'mayfly.yaml'), sample.replace('schema: broker', `schema: ${schema.db.schema}`));
  stricter = join(folder, 'stricter');
  cpSync(SAMPLE, stricter, { recursive: true });
  writeFileSync(
    join(stricter, 'no-orders.cedar'),
    '@id("no-orders") @reason("orders are closed")\nforbid (principal, action == Mayfly::Action::"readDataset", resource == Mayfly::Dataset::"crm.orders");\n',
  );
  const { catalogue } = await loadCatalogue(
    join(root, 'deploy/sample/catalogue'),
    {},
    { targets: 'describe' },
  );
  const policies = await PolicySet.load(SAMPLE);
  calls = Array.from({ length: CALLS }, (_, n) => recordedCall(policies, catalogue, n));
  await keep(calls);
}, 120_000);
afterAll(async () => {
  await schema.drop();
  rmSync(folder, { recursive: true });
});

async function keep(kept: readonly RecordedCall[]): Promise<void> {
  await schema.db.pool.query(
    `INSERT INTO decision_input (digest, inputs) SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT DO NOTHING`,
    [kept.map(({ decided }) => decided.inputs), kept.map(({ inputs }) => JSON.stringify(inputs))],
  );
  await schema.db.pool.query(
    `INSERT INTO event (stream, version, type, data, ce_id)
       SELECT 'task', n, 'call.decided', data, '' FROM unnest($1::jsonb[]) WITH ORDINALITY AS d(data, n)`,
    [kept.map(({ decided }) => JSON.stringify(decided))],
  );
}

function replay(policy: string, ...more: string[]) {
  const config = join(folder, 'mayfly.yaml');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/mayfly.mjs', 'policy', 'replay', '--policy', policy, '--config', config, ...more],
    {
      cwd: root,
      env: {
        ...{
          PATH: process.env['PATH'],
          MAYFLY_ENV: 'development',
          MAYFLY_STATE_DIR: folder,
          KAFKA_BROKERS: 'k:1',
        },
        MAYFLY_BROKER_DATABASE_URL: process.env['DATABASE_URL'],
      },
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

it('by the same policies nothing flips, and the status says so', () => {
  expect(replay(SAMPLE)).toEqual({
    status: 0,
    stdout: `${CALLS} calls: 0 flips, 0 refused before policy was asked, 0 without kept inputs, 0 with altered ones\n`,
    stderr: '',
  });
});

it('by one rule more exactly those flip that it is about, in the order in which they were made', () => {
  const { status, stdout } = replay(stricter, '--json');

  const { flips } = JSON.parse(stdout) as {
    flips: { call: { callId: string }; after: { policies: string[] } }[];
  };
  const expected = calls.filter(
    ({ decided: { dataset, action, decision } }) =>
      dataset === 'crm.orders' && action === 'read' && decision !== 'deny',
  );
  expect(status).toBe(1);
  expect(expected.length).toBeGreaterThan(50);
  expect(flips.map(({ call }) => call.callId)).toEqual(expected.map(({ decided }) => decided.callId));
  expect(new Set(flips.flatMap(({ after }) => after.policies))).toContain('no-orders');
});

it('people see the first of them, with both reasons', () => {
  const { stdout, stderr } = replay(stricter);

  expect(stdout).toMatch(
    /^\S+ spiffe:\/\/dev\.mayfly\/agent\/analyst sql\.query crm\.orders read\n {2}was {2}permit by .*\n {2}now {2}deny by .*no-orders.*orders are closed/,
  );
  expect(stdout).toContain('more: --json has them all');
  expect(stderr).toMatch(/^mayfly: \d+ decisions would flip, 0 have inputs that are not theirs\n$/);
});

it('only what is recent enough is looked at', () => {
  expect(replay(stricter, '--since', '2999-01-01T00:00:00Z')).toMatchObject({ status: 0 });
});

it('inputs that somebody changed are named, and not decided on', async () => {
  const [altered] = calls.filter(({ decided }) => decided.decision === 'permit');
  await schema.db.pool.query(
    `UPDATE decision_input SET inputs = jsonb_set(inputs, '{tool,context,now,calls}', '17') WHERE digest = $1`,
    [altered?.decided.inputs],
  );
  const { status, stdout } = replay(SAMPLE);
  expect(status).toBe(1);
  expect(stdout).toContain(`altered: the kept inputs of call ${altered?.decided.callId}`);
});

it.each([
  [['--since', 'yesterday'], '--since is a number of days'],
  [['--policy', 'no/such/folder'], 'cannot be read'],
])('refuses %j', (options, what) => {
  const { status, stdout, stderr } = replay(SAMPLE, ...options);
  expect(status).not.toBe(0);
  expect(stdout + stderr).toContain(what);
});
