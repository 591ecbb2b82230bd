/** `mayfly policy explain` on a broker's database, as it is installed: one call among others, and nothing that is not there. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicySet } from '#policy/policy-set.js';
import type { RecordedCall } from '#policy/replay/rejudge.js';
import { brokerMigrations } from '../apps/broker/src/migrations.js';
import { ordinaryCall } from './support/recorded-calls.mjs';
import { freshSchema, type FreshSchema } from '../libs/store/test/fresh-schema.js';

const root = join(import.meta.dirname, '..');
const SAMPLE = join(root, 'deploy', 'sample', 'policy');
const OTHER_TASK = '019b8e6a-7400-7000-8000-0000000000ff';

let schema: FreshSchema;
let folder: string;
let calls: RecordedCall[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-explain-'));
  schema = await freshSchema('explain', brokerMigrations);
  const sample = readFileSync(join(root, 'deploy', 'sample', 'mayfly.yaml'), 'utf8');
  writeFileSync(join(folder, 'mayfly.yaml'), sample.replace('schema: broker', `schema: ${schema.db.schema}`));
  cpSync(SAMPLE, join(folder, 'policy'), { recursive: true });
  const { catalogue } = await loadCatalogue(
    join(root, 'deploy/sample/catalogue'),
    {},
    { targets: 'describe' },
  );
  const policies = await PolicySet.load(SAMPLE);
  calls = Array.from({ length: 12 }, (_, n) => ordinaryCall(policies, catalogue, n));
  for (const call of calls) await keep(call);
}, 120_000);
afterAll(async () => {
  await schema.drop();
  rmSync(folder, { recursive: true });
});

async function keep({ decided, inputs }: RecordedCall): Promise<void> {
  if (inputs !== null)
    await schema.db.pool.query(
      'INSERT INTO decision_input (digest, inputs) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [decided.inputs, JSON.stringify(inputs)],
    );
  await append('call.decided', decided);
}

const append = (type: string, data: { taskId: string }) =>
  schema.db.pool.query(
    `INSERT INTO event (stream, version, type, data, ce_id)
       SELECT $1, 1 + (SELECT count(*) FROM event WHERE stream = $1), $2, $3, ''`,
    [data.taskId, type, JSON.stringify(data)],
  );

function explain(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/mayfly.mjs', 'policy', 'explain', ...args, '--config', join(folder, 'mayfly.yaml')],
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
const decidedOf = (n: number) => calls[n]!.decided;

it('explains a call by the policies of the configuration, with what followed', async () => {
  const { taskId, callId, agent } = decidedOf(0);
  const at = '2026-01-05T12:00:01.000Z';
  const issued = { taskId, callId, agent, at, leaseId: '019b8e6a-7400-7000-8000-00000000aaaa' };
  await append('lease.issued', issued);
  await append('lease.issued', { ...issued, agent: `${agent}-other` } as { taskId: string });

  const { status, stdout, stderr } = explain(callId);

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^call \S+ of task \S+, decided 2026-01-05T12:00:00\.000Z\n/);
  expect(stdout).toMatch(/tools\.warehouse permits: \S*policy\/tools\.cedar:3\n/);
  expect(stdout).toContain('as they stand today');
  expect(stdout).toMatch(/\nwhat followed\n {2}2026-01-05T12:00:01\.000Z lease\.issued \S+\n$/);
});

it('explains it to a program, by other policies where they are told', () => {
  writeFileSync(
    join(folder, 'policy', 'closed.cedar'),
    '@id("closed") @reason("closed")\nforbid (principal, action == Mayfly::Action::"callTool", resource);\n',
  );
  const { status, stdout } = explain(decidedOf(1).callId, '--json');
  rmSync(join(folder, 'policy', 'closed.cedar'));

  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ ok: true, decided: decidedOf(1), policySet: { isSame: false } },
    today: { decision: 'deny', checks: [{ policies: ['closed'] }, {}] },
    inputs: { state: 'kept', kept: calls[1]!.inputs },
  });
});

it('tells what was recorded where the policies of today cannot be used', () => {
  const { status, stdout, stderr } = explain(decidedOf(1).callId, '--dir', 'no/such/folder');

  expect(status).toBe(0);
  expect(stderr).toContain('mayfly policy check --dir no/such/folder');
  expect(stdout).toContain('those of today cannot be read');
});

it('explains the last decision on a call, and names the earlier ones', async () => {
  const call = calls[2]!;
  const later = { ...call.decided, at: '2026-01-05T12:30:00.000Z' };
  await keep({ decided: later, inputs: call.inputs });

  const { stdout } = explain(later.callId);

  expect(stdout).toContain('decided 2026-01-05T12:30:00.000Z');
  expect(stdout).toContain(`decided before\n  ${call.decided.at} `);
});

it('says that the facts are gone once they are', async () => {
  const { callId, inputs } = decidedOf(4);
  await schema.db.pool.query('DELETE FROM decision_input WHERE digest = $1', [inputs]);

  expect(explain(callId)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('not kept any more') as string,
  });
});

it('concludes nothing from facts that somebody changed', async () => {
  const { callId, inputs } = decidedOf(5);
  await schema.db.pool.query(
    `UPDATE decision_input SET inputs = jsonb_set(inputs, '{tool,context,now,calls}', '17') WHERE digest = $1`,
    [inputs],
  );

  const { status, stdout, stderr } = explain(callId);

  expect(status).toBe(1);
  expect(stdout).toContain('somebody changed it, and nothing is concluded from it');
  expect(stderr).toBe('mayfly: the kept inputs are not those that were decided on\n');
});

it('asks which call is meant where several have the id', async () => {
  const call = calls[7]!;
  await keep({ decided: { ...call.decided, taskId: OTHER_TASK }, inputs: call.inputs });
  const { callId } = call.decided;

  expect(explain(callId)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('several calls have this id') as string,
  });
  const { status, stdout } = explain(callId, '--task', OTHER_TASK);
  expect(status).toBe(0);
  expect(stdout).toContain(`of task ${OTHER_TASK}`);
});

it.each([
  [['019b8e6a-7400-7000-8000-0000000fffff'], 1, 'keeps no decision on the call 019b8e6a'],
  [['call-1'], 2, 'is no call id'],
  [['019b8e6a-7400-7000-8000-000000000001', '--task', 'mine'], 2, 'is no task id'],
])('refuses %j', (args, expected, what) => {
  const { status, stderr } = explain(...args);
  expect(status).toBe(expected);
  expect(stderr).toContain(what);
});
