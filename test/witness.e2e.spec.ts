/**
 * Proves that a running Mayfly gets its log witnessed: heads lie in files, an outsider cosigns them, and whoever insists on that outsider
 * believes an export of it and none without.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import { until } from './support/orders-service.js';
import { callOrders, endTask, openClient, startTask } from './support/sample-client.js';
import { sampleWithOutlets } from './support/sample-with-outlets.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { WitnessProcess } from './support/witness-process.js';

const run = promisify(execFile);
const mayfly = join(import.meta.dirname, '..', 'scripts', 'mayfly.mjs');

let folder: string;
let stack: TestStack;
let witness: WitnessProcess | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-witnessed-'));
  const env = await sampleWithOutlets(join(folder, 'config'));
  stack = await startStack({ env: { ...env, MAYFLY_BUS: 'postgres' } });
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  await witness?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const at = (name: string) => join(folder, name);
async function cli(...args: string[]): Promise<{ status: number; stdout: string }> {
  const env = { ...process.env, MAYFLY_STATE_DIR: stack.stateDir };
  return run(process.execPath, [mayfly, ...args], { env, timeout: 60_000 }).then(
    ({ stdout }) => ({ status: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ status: code, stdout }),
  );
}
const checkpoint = async (query = '') => {
  const response = await fetch(`${stack.addresses.auditor}/log/checkpoint${query}`);
  return response.ok ? await response.text() : '';
};
const keptHeads = () =>
  readdirSync(join(stack.stateDir, 'checkpoints'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.checkpoint'))
    .sort();
async function oneTask(): Promise<void> {
  const client = await openClient(stack);
  try {
    const taskId = await startTask(client);
    await callOrders(client, taskId);
    await (
      await endTask(client, taskId)
    ).verdict;
  } finally {
    await client.close();
  }
}
async function askWitness({ url, vkey }: WitnessProcess): Promise<void> {
  const path = at('config/mayfly.yaml');
  const config = parseDocument(readFileSync(path, 'utf8'));
  const witnesses = config.createNode([{ name: 'north', url, vkey }]);
  config.setIn(['services', 'auditor', 'log', 'anchors', 'witnesses'], witnesses);
  writeFileSync(path, config.toString());
  await stack.kill('auditor', 'SIGTERM');
  await stack.start('auditor');
}

it('keeps heads in files, and has a witness cosign them that verifiers can insist on', async () => {
  await oneTask();
  const vkey = readFileSync(join(stack.stateDir, 'keys', 'log-signer.vkey'), 'utf8').trim();
  witness = await WitnessProcess.start({ name: 'witness.example/w1', logs: [vkey], state: at('w1') });
  writeFileSync(at('trust'), `log ${vkey}\nwitness north ${witness.vkey}\nquorum north\n`);

  await until(() => keptHeads().length > 0);
  expect(await cli('audit', 'export', '--out', at('before'))).toMatchObject({ status: 0 });
  const refused = await cli('audit', 'verify', at('before'), '--policy', at('trust'));
  expect([refused.status, refused.stdout]).toEqual([
    1,
    expect.stringContaining('ERR_TRUST_QUORUM') as string,
  ]);

  await askWitness(witness);
  await until(async () => (await checkpoint('?cosigned=1')).includes('— witness.example/w1 '));
  await oneTask();
  const kept = join(stack.stateDir, 'checkpoints', keptHeads()[0]!);
  const then = Number(readFileSync(kept, 'utf8').split('\n')[1]);
  await until(async () => Number((await checkpoint('?cosigned=1')).split('\n')[1]) > then);

  expect(await cli('audit', 'export', '--cosigned', '1', '--out', at('after'))).toMatchObject({ status: 0 });
  const believed = await cli('audit', 'verify', at('after'), '--policy', at('trust'));
  expect([believed.status, believed.stdout]).toEqual([
    0,
    expect.stringMatching(/ · cosigned by north\n$/) as string,
  ]);
  writeFileSync(at('trust-files'), `log ${vkey}\nquorum none\n`);
  const since = await cli('audit', 'verify', at('after'), '--policy', at('trust-files'), '--since', kept);
  expect([since.status, since.stdout]).toEqual([
    0,
    expect.stringContaining(` · consistent with size ${then}\n`) as string,
  ]);
  const ready = await fetch(`${stack.addresses.auditor}/health/ready`);
  expect(await ready.json()).not.toHaveProperty('remarks');
}, 180_000);
