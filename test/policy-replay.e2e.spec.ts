/**
 * `mayfly policy replay` on a broker's database and an auditor's log, on threads as it is installed: nothing flips by the same rules, by
 * others exactly what must, and whoever changes what the broker kept is found by the log.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inputsDigest } from '#policy/decision-inputs.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicySet } from '#policy/policy-set.js';
import type { Flip, RecordedCall } from '#policy/replay/rejudge.js';
import { openAuditorHttp, type AuditorHttp } from '../apps/auditor/spec/auditor-http.js';
import { ingesting } from '../apps/auditor/spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../apps/auditor/spec/log-database.js';
import { World } from '../apps/auditor/spec/world.js';
import { brokerMigrations } from '../apps/broker/src/migrations.js';
import { freshSchema, type FreshSchema } from '../libs/store/test/fresh-schema.js';
import {
  eventIdOf,
  flipsWithLessDrift,
  keepCalls,
  recordedCall,
  requestOf,
  withLessDrift,
} from './support/recorded-calls.mjs';

const root = join(import.meta.dirname, '..');
const SAMPLE = join(root, 'deploy', 'sample', 'policy');
const CALLS = 5_000;
const AT_ONCE = 500;

let schema: FreshSchema;
let log: LogDatabase;
let world: World;
let auditor: AuditorHttp;
let folder: string;
let lessDrift: string;
let calls: RecordedCall[];
let expected: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-replay-'));
  [schema, log, world] = await Promise.all([
    freshSchema('replay', brokerMigrations),
    freshLogDatabase(),
    World.open(),
  ]);
  auditor = await openAuditorHttp(log.runtime, world);
  const sample = readFileSync(join(root, 'deploy', 'sample', 'mayfly.yaml'), 'utf8');
  writeFileSync(join(folder, 'mayfly.yaml'), sample.replace('schema: broker', `schema: ${schema.db.schema}`));
  lessDrift = join(folder, 'less-drift');
  cpSync(SAMPLE, lessDrift, { recursive: true });
  const guards = join(lessDrift, 'guards.cedar');
  writeFileSync(guards, withLessDrift(readFileSync(guards, 'utf8')));
  const { catalogue } = await loadCatalogue(
    join(root, 'deploy/sample/catalogue'),
    {},
    { targets: 'describe' },
  );
  const policies = await PolicySet.load(SAMPLE);
  calls = Array.from({ length: CALLS }, (_, n) => recordedCall(policies, catalogue, n));
  expected = calls.flatMap(({ decided }, n) =>
    flipsWithLessDrift(requestOf(catalogue, n)) ? [decided.callId] : [],
  );
  for (let first = 0; first < CALLS; first += AT_ONCE) await keep(first);
}, 240_000);
afterAll(async () => {
  await auditor.close();
  await Promise.all([schema.drop(), log.drop(), world.close()]);
  rmSync(folder, { recursive: true });
});

/** As the broker keeps them, and as the auditor hears of them. */
async function keep(first: number): Promise<void> {
  const kept = calls.slice(first, first + AT_ONCE);
  await keepCalls(schema.db.pool, kept, first);
  const told = kept.map(({ decided }, i) =>
    world.wrote('broker', 'call.decided', decided, { key: decided.taskId, id: eventIdOf(first + i) }),
  );
  await ingesting(log.runtime, world).onBatch(told);
}

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

async function replay(policy: string, ...more: string[]): Promise<Ran> {
  const where = ['--config', join(folder, 'mayfly.yaml'), '--auditor', auditor.url];
  const args = ['scripts/mayfly.mjs', 'policy', 'replay', '--policy', policy, ...where, ...more];
  const env = {
    ...{ PATH: process.env['PATH'], MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: world.stateDir },
    ...{ KAFKA_BROKERS: 'k:1', MAYFLY_BROKER_DATABASE_URL: process.env['DATABASE_URL'] },
  };
  try {
    const ran = await promisify(execFile)(process.execPath, args, { cwd: root, env, maxBuffer: 2 ** 28 });
    return { status: 0, ...ran };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

it('by the same policies nothing flips, the log confirms every record, and the status says so', async () => {
  const { status, stdout, stderr } = await replay(SAMPLE);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [first, second, third] = stdout.split('\n');
  expect(first).toBe(
    `${CALLS} calls: 0 flips, 0 refused before policy was asked, 0 without kept inputs, 0 with altered ones`,
  );
  expect(second).toMatch(/^decided by Cedar itself: \d+$/);
  expect(third).toBe(
    `the log confirms ${CALLS}, does not have 0, has 0 otherwise; 0 are too young to be in it`,
  );
}, 180_000);

it('by one rule that was changed exactly those flip that it is about, in the order in which they were made', async () => {
  const { status, stdout } = await replay(lessDrift, '--json');

  const { flips } = JSON.parse(stdout) as { flips: Flip[] };
  expect(status).toBe(1);
  expect(expected.length).toBeGreaterThan(100);
  expect(flips.map(({ call }) => call.callId)).toEqual(expected);
  expect(new Set(flips.flatMap(({ after }) => after.policies))).toContain('guard.drift');
}, 180_000);

it('Cedar alone finds the same', async () => {
  const { stdout } = await replay(lessDrift, '--json', '--exact', '--no-log');

  const { flips, byEngine } = JSON.parse(stdout) as { flips: Flip[]; byEngine: number };
  expect(flips.map(({ call }) => call.callId)).toEqual(expected);
  expect(byEngine).toBe(CALLS);
}, 180_000);

it('people see the first of them with both reasons, and a table of all', async () => {
  const { stdout, stderr } = await replay(lessDrift);

  expect(stdout).toMatch(
    /^\S+ spiffe:\/\/dev\.mayfly\/agent\/\S+ .*\n {2}was {2}.*\n {2}now {2}deny by guard\.drift.*behaviour has drifted/,
  );
  expect(stdout).toContain('more: --json has them all');
  expect(stdout).toMatch(/^flips +agent +act +was +now +by$/m);
  expect(stdout).toMatch(/^\d+ +spiffe:\S+ +orders\.mcp read +permit +deny +guard\.drift$/m);
  expect(stderr).toMatch(
    /^mayfly: \d+ decisions would flip, 0 have inputs that are not theirs, 0 are not what the log has\n$/,
  );
}, 180_000);

it('only what is recent enough is looked at', async () => {
  expect(await replay(lessDrift, '--since', '2999-01-01T00:00:00Z')).toMatchObject({ status: 0 });
}, 180_000);

const query = (text: string, values: unknown[]) => schema.db.pool.query(text, values);
const eventOf = (n: number, data: object) =>
  query(`UPDATE event SET data = $2 WHERE ce_id = $1`, [eventIdOf(n), JSON.stringify(data)]);

it('inputs that were changed together with the broker’s own record of them differ from the log', async () => {
  const n = calls.findIndex(({ decided }) => decided.decision === 'permit');
  const { decided, inputs } = calls[n] as RecordedCall;
  const forged = structuredClone(inputs);
  (forged?.tool.context['now'] as { rows: number }).rows = 7;
  const digest = inputsDigest(forged as object);
  await query('INSERT INTO decision_input (digest, inputs) VALUES ($1, $2)', [
    digest,
    JSON.stringify(forged),
  ]);
  await eventOf(n, { ...decided, inputs: digest });
  try {
    expect(await replay(SAMPLE, '--no-log')).toMatchObject({ status: 0 });
    const { status, stdout } = await replay(SAMPLE);
    expect(status).toBe(1);
    expect(stdout).toContain(
      `differs from the log: the record of call ${decided.callId} in task ${decided.taskId} is not the one that was told`,
    );
    expect(stdout).toContain(`the log confirms ${CALLS - 1}, does not have 0, has 1 otherwise`);
  } finally {
    await eventOf(n, decided);
  }
}, 180_000);

it('a record that nobody told of is not in the log, unless it may just not be there yet', async () => {
  const { decided } = calls[0] as RecordedCall;
  const callId = '019b8e6a-7400-7000-8000-ffffffffffff';
  const insert = (age: string) =>
    query(
      `INSERT INTO event (stream, version, type, data, ce_id, recorded_at)
         VALUES ('forged', 1, 'call.decided', $1, $2, now() - $3::interval)`,
      [JSON.stringify({ ...decided, callId }), eventIdOf(CALLS), age],
    );
  const forget = () => query(`DELETE FROM event WHERE stream = $1`, ['forged']);
  await insert('10 minutes');
  try {
    const { status, stdout } = await replay(SAMPLE);
    expect(status).toBe(1);
    expect(stdout).toContain(`not in the log: the record of call ${callId} in task ${decided.taskId}`);
    await forget();
    await insert('1 second');
    expect(await replay(SAMPLE)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 are too young to be in it') as unknown,
    });
  } finally {
    await forget();
  }
}, 180_000);

it('inputs that somebody changed are named, and not decided on', async () => {
  const altered = calls.find(({ decided }) => decided.decision === 'permit')?.decided;
  await query(
    `UPDATE decision_input SET inputs = jsonb_set(inputs, '{tool,context,now,calls}', '17') WHERE digest = $1`,
    [altered?.inputs],
  );
  const { status, stdout } = await replay(SAMPLE);
  expect(status).toBe(1);
  expect(stdout).toContain(`altered: the kept inputs of call ${altered?.callId}`);
}, 180_000);

it.each([
  [['--since', 'yesterday'], 2, '--since is a number of days'],
  [['--policy', 'no/such/folder'], 1, 'cannot be read'],
  [['--auditor', 'http://127.0.0.1:1'], 2, 'the auditor does not answer'],
])('refuses %j with status %i', async (options, wanted, what) => {
  const { status, stdout, stderr } = await replay(SAMPLE, ...options);
  expect(status).toBe(wanted);
  expect(stdout + stderr).toContain(what);
});
