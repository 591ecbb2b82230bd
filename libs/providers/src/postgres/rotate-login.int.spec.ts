/** Passwords of our own accounts, changed at a real server: while leases are made and cut, by processes that die after each step. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createLog } from '#telemetry/log.js';
import type { CredentialProvider, PostgresCredential } from '../provider.js';
import { inspectPostgres } from './inspect.js';
import { openPostgres } from './postgres-provider.js';
import { rotateLogin, type RotationMeans, type RotationStep } from './rotate-login.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';
import { postgresSettings, type PostgresSettings } from './settings.js';

const BROKER = 'rotate_spec_broker';
const REVOKER = 'rotate_spec_revoker';

let target: SampleTarget;
let superuser: pg.Client;
let folder: string;
const opened: CredentialProvider[] = [];

beforeAll(async () => {
  target = await openSampleTarget('rot');
  superuser = await target.superuser();
  for (const [user, group] of [
    [BROKER, 'mayfly_broker'],
    [REVOKER, 'mayfly_revoker'],
  ])
    await superuser.query(
      `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${user}') THEN
         CREATE ROLE ${user} LOGIN IN ROLE ${group}; END IF; END $$`,
    );
});
afterAll(() => target.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-rotate-'));
  for (const user of [BROKER, REVOKER]) {
    await superuser.query(`ALTER ROLE ${user} PASSWORD 'first of ${user}'`);
    await writeFile(join(folder, user), `first of ${user}\n`, { mode: 0o600 });
  }
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((provider) => provider.close()));
  await rm(folder, { recursive: true });
});

const settingsOf = (user: string): PostgresSettings => ({
  ...target.brokerSettings,
  login: postgresSettings.shape.login.parse({ user, passwordFile: join(folder, user) }),
});
const log = createLog('rotate-spec', { level: 'silent' });
/** As one more process would. */
function processOf(user: string): CredentialProvider {
  const provider = openPostgres(settingsOf(user), log);
  opened.push(provider);
  return provider;
}
const linesOf = async (user: string) =>
  (await readFile(join(folder, user), 'utf8')).split('\n').filter((line) => line !== '');
const rotate = (user: string, change: Partial<RotationMeans> = {}) =>
  rotateLogin(settingsOf(user), { mayGoOn: () => Promise.resolve(), ...change });
/** Nothing of a rotation runs after what is thrown here: it is as if the process had been killed. */
const dyingAfter = (step: RotationStep): Partial<RotationMeans> => ({
  after: (taken) => {
    if (taken === step) throw new Error('killed');
  },
});
async function letsIn(user: string, password: string): Promise<boolean> {
  const { host, port, database } = target.brokerSettings.connection;
  const client = new pg.Client({ host, port, database, user, password, ssl: false });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
async function created(
  broker: CredentialProvider,
): Promise<{ plan: ReturnType<SampleTarget['plan']>; credential: PostgresCredential }> {
  const plan = target.plan();
  const answer = await broker.create(plan);
  if (answer.answer !== 'created' || answer.credential.kind !== 'postgres')
    throw new Error(`not created: ${JSON.stringify(answer)}`);
  return { plan, credential: answer.credential };
}

it('an account has another password, and the former one is of no use', async () => {
  await rotate(BROKER);

  const [password = '', ...more] = await linesOf(BROKER);
  expect(more).toEqual([]);
  expect(await letsIn(BROKER, password)).toBe(true);
  expect(await letsIn(BROKER, `first of ${BROKER}`)).toBe(false);
});

it('the server keeps a verifier that was made here, of one iteration', async () => {
  await rotate(BROKER);

  const { rows } = await superuser.query<{ rolpassword: string }>(
    'SELECT rolpassword FROM pg_authid WHERE rolname = $1',
    [BROKER],
  );
  // The server itself would have taken `scram_iterations`, 4096 by default: it never saw the password.
  expect(rows[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$1:/);
});

describe.each([
  ['before the server has it', 'written'],
  ['before the file says that it is the only one', 'altered'],
] as const)('a process that dies after it wrote the new password, %s', (_when, step) => {
  it('leaves an account that every process gets into', async () => {
    const before = processOf(BROKER);
    await created(before);
    await expect(rotate(BROKER, dyingAfter(step))).rejects.toThrow('killed');
    expect(await linesOf(BROKER)).toHaveLength(2);

    // One that was there all the time, one that starts now, and a look from outside.
    await created(before);
    await created(processOf(BROKER));
    expect(await inspectPostgres(settingsOf(BROKER), 'broker', [target.policyRole])).toEqual([]);
  });

  it('leaves a rotation that the next one brings to its end', async () => {
    await expect(rotate(BROKER, dyingAfter(step))).rejects.toThrow('killed');
    const [newest] = await linesOf(BROKER);
    await rotate(BROKER);

    expect(await linesOf(BROKER)).toEqual([newest]);
    expect(await letsIn(BROKER, newest ?? '')).toBe(true);
    await created(processOf(BROKER));
  });
});

it('no lease is lost: others are made, used and cut, by processes that stay and by new ones, while passwords change', async () => {
  let rotating = true;
  const rotations = (async () => {
    for (let n = 0; n < 6; n += 1) {
      await rotate(BROKER);
      await rotate(REVOKER);
    }
  })().finally(() => (rotating = false));
  const life = async (brokerOf: () => CredentialProvider, revokerOf: () => CredentialProvider) => {
    let leases = 0;
    while (rotating) {
      const revoker = revokerOf();
      const { plan, credential } = await created(brokerOf());
      const session = await target.session(credential);
      await session.query('SELECT count(*) FROM crm.orders');
      const { observation } = await revoker.cut(plan);
      expect(observation).toMatchObject({ state: 'disabled', sessions: 0 });
      await revoker.clean(plan);
      leases += 1;
    }
    return leases;
  };
  const [broker, revoker] = [processOf(BROKER), processOf(REVOKER)];
  const lives = [
    life(
      () => broker,
      () => revoker,
    ),
    // Each of these logs in anew.
    life(
      () => processOf(BROKER),
      () => processOf(REVOKER),
    ),
  ];

  const [, ...counts] = await Promise.all([rotations, ...lives]);
  for (const leases of counts) expect(leases).toBeGreaterThan(0);
});

it('a rotation stops where another process may be at it, and changes nothing', async () => {
  const lost = new Error('the lock is lost');
  await expect(rotate(BROKER, { mayGoOn: () => Promise.reject(lost) })).rejects.toBe(lost);

  expect(await linesOf(BROKER)).toEqual([`first of ${BROKER}`]);
  expect(await letsIn(BROKER, `first of ${BROKER}`)).toBe(true);
});

it('a file whose password is wrong is told, and left as it can be mended', async () => {
  await superuser.query(`ALTER ROLE ${BROKER} PASSWORD 'changed by hand'`);
  await expect(rotate(BROKER)).rejects.toMatchObject({ code: 'ERR_TARGET_MISCONFIGURED' });
  expect(await inspectPostgres(settingsOf(BROKER), 'broker', [])).toMatchObject([
    { code: 'ERR_TARGET_LOGIN_REFUSED' },
  ]);

  await writeFile(join(folder, BROKER), 'changed by hand\n');
  await rotate(BROKER);
  await created(processOf(BROKER));
});
