/**
 * Drills of the log's key on a running Mayfly, by the commands that people type, to the verdict on a bundle: a key is changed, and a
 * stolen one costs the log its name. On the bus in PostgreSQL.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { loginUrl } from '../apps/cli/src/logins.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { query } from './support/target-session.js';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);
const NEXT_ORIGIN = 'mayfly.dev/log-2';

let folder: string;
let stack: TestStack;
const at = (name: string) => join(folder, name);
const config = () => at('configuration/mayfly.yaml');
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-log-key-'));
  await cp(join(root, 'deploy', 'sample'), at('configuration'), { recursive: true });
  stack = await startStack({ env: { MAYFLY_BUS: 'postgres', MAYFLY_CONFIG: config() } });
  const vkey = readFileSync(join(stack.stateDir, 'keys', 'log-signer.vkey'), 'utf8').trim();
  writeFileSync(at('trust'), `log ${vkey}\nquorum none\n`);
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** @returns the exit status, and what it printed */
async function mayfly(
  args: string[],
  more: NodeJS.ProcessEnv = {},
): Promise<{ status: number; said: string }> {
  const env = { ...process.env, MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stack.stateDir, ...more };
  return run(process.execPath, [join(root, 'scripts', 'mayfly.mjs'), ...args], { env }).then(
    ({ stdout }) => ({ status: 0, said: stdout.trim() }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      status: code,
      said: stdout + stderr,
    }),
  );
}
async function ordered(...args: string[]): Promise<string> {
  const { status, said } = await mayfly(args);
  expect([status, said]).toEqual([0, said]);
  return said;
}

async function configure(...changes: [path: string[], value: unknown][]): Promise<void> {
  const file = parseDocument(await readFile(config(), 'utf8'));
  for (const [path, value] of changes) file.setIn(['services', ...path], file.createNode(value));
  await writeFile(config(), file.toString());
}
async function signWith(...keys: string[]): Promise<void> {
  await configure([['signer', 'keys'], keys]);
  expect(await stack.kill('signer', 'SIGTERM')).toEqual({ code: 0, signal: null });
  await stack.start('signer');
}

/** The newest checkpoint, once so many keys have signed it. */
async function checkpointBy(keys: number): Promise<string> {
  for (;;) {
    const note = await (await fetch(`${stack.addresses.auditor}/log/checkpoint`)).text();
    if (note.split('\n— ').length - 1 === keys) return note;
    await sleep(100);
  }
}
/** Exports the log until an entry of this type is in it. @returns those entries */
async function exportWith(name: string, type: string): Promise<{ event: Record<string, unknown> }[]> {
  for (;;) {
    rmSync(at(name), { force: true });
    await ordered('audit', 'export', '--out', at(name));
    // The first entry stands behind the header of its file.
    const lines = new RegExp(`\\{[^\\n]*"type":"${type}"[^\\n]*\\}`, 'g');
    const found = readFileSync(at(name), 'utf8').match(lines) ?? [];
    if (found.length > 0) return found.map((line) => JSON.parse(line) as { event: Record<string, unknown> });
    await sleep(200);
  }
}
const verify = async (bundle: string, policy: string, ...more: string[]) =>
  (await mayfly(['audit', 'verify', at(bundle), '--policy', at(policy), ...more])).status;

it('a key is changed: both sign for a while, and then the old one proves nothing any more', async () => {
  const former = join(stack.stateDir, 'keys', 'log-signer.key');
  const vkey = await ordered(
    ...['log', 'key', 'rotate', '--policy', at('trust')],
    ...['--key-out', at('next.key'), '--policy-out', at('trust-both')],
  );
  writeFileSync(at('trust-next'), `log ${vkey}\nquorum none\n`);

  await signWith(former, at('next.key'));
  writeFileSync(at('during'), await checkpointBy(2));
  const [added] = await exportWith('during.bundle', 'log.key.added');
  expect(added?.event).toMatchObject({ vkey, keys: { length: 2 } });
  for (const policy of ['trust', 'trust-both', 'trust-next'])
    expect([policy, await verify('during.bundle', policy)]).toEqual([policy, 0]);

  const [, oldKey = ''] = readFileSync(at('trust'), 'utf8').split(/\s/);
  await ordered(
    ...['log', 'key', 'retire', oldKey, '--policy', at('trust-both')],
    ...['--checkpoint', at('during'), '--policy-out', at('trust-after')],
  );
  await signWith(at('next.key'));
  await checkpointBy(1);
  const [retired] = await exportWith('after.bundle', 'log.key.retired');
  expect(retired?.event).toMatchObject({ vkey: oldKey, keys: [vkey] });
  expect(await verify('after.bundle', 'trust')).toBe(1);
  expect(await verify('after.bundle', 'trust-after', '--since', at('during'))).toBe(0);
}, 240_000);

it('a key is stolen: another log begins with the last good checkpoint, and nothing else of the old one is believed', async () => {
  const good = await checkpointBy(1);
  writeFileSync(at('good'), good);
  await ordered(
    ...['log', 'key', 'compromised', '--policy', at('trust-after'), '--checkpoint', at('good')],
    ...['--origin', NEXT_ORIGIN, '--key-out', at('other.key'), '--policy-out', at('trust-other')],
  );
  await stack.kill('signer', 'SIGTERM');
  await stack.kill('auditor', 'SIGTERM');
  await query(stack.urls.database, 'CREATE SCHEMA audit_2 AUTHORIZATION mayfly_audit_owner');
  await configure(
    [['auditor', 'database', 'schema'], 'audit_2'],
    [['signer', 'database', 'schema'], 'audit_2'],
    [['auditor', 'log', 'origin'], NEXT_ORIGIN],
    [['auditor', 'log', 'continues'], at('good')],
    [['signer', 'keys'], at('other.key')],
  );
  await expect(stack.start('auditor')).rejects.toThrow('ERR_STORE_RESTORED auditor');
  expect(await recoverAuditor()).toMatchObject({ status: 0 });
  await stack.start('auditor');
  await stack.start('signer');

  const [continued] = await exportWith('other.bundle', 'log.continued');
  const [origin, size, rootHash] = good.split('\n');
  expect(continued?.event).toEqual({ origin, size, root: rootHash, checkpoint: good });
  expect(await verify('other.bundle', 'trust-other')).toBe(0);
  expect(await verify('other.bundle', 'trust-after')).toBe(1);
  expect(await verify('after.bundle', 'trust-other')).toBe(1);
}, 240_000);

async function recoverAuditor(): Promise<{ status: number }> {
  const { addresses, stateDir } = stack;
  const as = (user: string) => loginUrl(stateDir, addresses, 'postgres', user);
  return await mayfly(['recover', '--service', 'auditor', '--config', config(), '--confirm'], {
    KAFKA_BROKERS: '',
    MAYFLY_BUS_DATABASE_URL: await as('mayfly_bus_auditor'),
    MAYFLY_AUDITOR_DATABASE_URL: await as('mayfly_auditor'),
    MAYFLY_AUDITOR_OWNER_DATABASE_URL: await as('mayfly_audit_owner'),
  });
}
