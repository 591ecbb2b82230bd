/**
 * Proves that all services start with targets that are not fit, say so and refuse what needs them; that a target is lent from once it is
 * mended, without a restart; and that the accounts of broker and revoker there get other passwords by command, while a lease lives.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { program } from '../apps/cli/src/program.js';
import { callOrders, endTask, next, openClient, startTask } from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { login } from './support/target-session.js';

const ACCOUNTS = { broker: 'mayfly_broker', revoker: 'mayfly_revoker' };

let folder: string;
let stack: TestStack;
let client: MayflyClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-unfit-'));
  await cp('deploy/sample', folder, { recursive: true });
  const file = join(folder, 'catalogue', 'targets.yaml');
  const targets = parseDocument(await readFile(file, 'utf8'));
  // Nothing is there yet.
  targets.deleteIn([0, 'login', 'password']);
  targets.setIn([0, 'login', 'passwordFile'], `${folder}/\${MAYFLY_TARGET_USER}`);
  targets.add({
    ...{ id: 'till', provider: 'postgres', maxTtlMs: 60_000, namespace: 'til' },
    connection: { host: '127.0.0.1', port: 1, database: 'till', tls: { mode: 'disable' } },
    login: { user: 'mayfly', password: 'never used' },
  });
  await writeFile(file, targets.toString());
  stack = await startStack({ env: { MAYFLY_BUS: 'postgres', MAYFLY_CONFIG: join(folder, 'mayfly.yaml') } });
  client = await openClient(stack);
}, 180_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await rm(folder, { recursive: true });
}, 60_000);

async function remarksOf(service: 'broker' | 'revoker'): Promise<string[]> {
  const answer = await fetch(new URL('/health/ready', stack.addresses[service]));
  return ((await answer.json()) as { remarks?: string[] }).remarks ?? [];
}
async function remarked(expected: string[]): Promise<void> {
  for (const service of ['broker', 'revoker'] as const)
    for (const endMs = Date.now() + 60_000; ;) {
      const remarks = await remarksOf(service);
      if (JSON.stringify(remarks) === JSON.stringify(expected)) break;
      if (Date.now() > endMs) throw new Error(`the ${service} remarks ${JSON.stringify(remarks)}`);
      await sleep(100);
    }
}
const TILL = 'target till is not fit: ERR_TARGET_UNREACHABLE';
const passwords = () =>
  Promise.all(Object.values(ACCOUNTS).map((account) => readFile(join(folder, account), 'utf8')));

async function command(...args: string[]): Promise<string> {
  let said = '';
  const env = { ...process.env, MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stack.stateDir };
  const stream = { write: (text: string) => (said += text) };
  await program(env, { stdout: stream, stderr: stream }).parseAsync(args, { from: 'user' });
  return said;
}

it('is said by services that are ready, refuses its calls, and is lent from once it is mended', async () => {
  await remarked(['target shop is not fit: ERR_TARGET_LOGIN_REFUSED', TILL]);
  expect(stack.logs('broker')).toContain('see that login.passwordFile is there');
  expect(stack.logs('revoker')).toContain('the password file cannot be read');
  const taskId = await startTask(client);
  await expect(callOrders(client, taskId)).rejects.toMatchObject({ code: 'ERR_TARGET_UNFIT' });

  const secrets = join(stack.stateDir, 'secrets', 'target.json');
  const known = JSON.parse(await readFile(secrets, 'utf8')) as Record<string, string>;
  for (const account of Object.values(ACCOUNTS))
    await writeFile(join(folder, account), `${known[account]}\n`, { mode: 0o600 });
  await remarked([TILL]);
  const { credential } = await callOrders(client, taskId);
  await (await login(credential)).end();
}, 180_000);

it('has other passwords by command, while a lease lives and is cut', async () => {
  const before = await passwords();
  const taskId = await startTask(client);
  const { credential } = await callOrders(client, taskId);
  const session = await login(credential);

  const said = await command('target', 'rotate', 'shop', '--as', 'ada', '--wait', '60');
  expect(said).toBe(
    'the account of the broker at shop has another password\nthe account of the revoker at shop has another password\n',
  );
  const after = await passwords();
  for (const [i, password] of after.entries()) expect(password).not.toBe(before[i]);
  expect((await session.query('SELECT count(*)::int AS n FROM crm.orders')).rows).toEqual([{ n: 6000 }]);

  // Each logs in anew, by the new one alone.
  await stack.kill('broker');
  await stack.kill('revoker');
  await Promise.all([stack.start('broker'), stack.start('revoker')]);
  const another = await callOrders(client, taskId);
  await (await login(another.credential)).end();
  const cut = next(client, 'lease.access_cut', taskId);
  await endTask(client, taskId);
  expect((await cut).data).toMatchObject({ cause: 'task_ended' });
  await expect(login(credential)).rejects.toMatchObject({ code: '28P01' });
  const everything = `${stack.logs('broker')}${stack.logs('revoker')}`;
  for (const password of [...before, ...after]) expect(everything).not.toContain(password.trim());
}, 180_000);
