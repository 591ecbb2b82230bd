/**
 * Proves that a broker at work takes a new version of the policy folder without a restart, tells of it, and keeps the version
 * before where the new one is bad, and that all services do so with the catalogue: on the bus in PostgreSQL.
 */
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { callOrders, next, openClient, startTask } from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';

const CLOSED = `@id("guard.closed") @reason("closed for stocktaking")
forbid (principal, action == Mayfly::Action::"readDataset", resource)`;

let folder: string;
let stack: TestStack;
let client: MayflyClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-policy-'));
  await cp('deploy/sample', folder, { recursive: true });
  // These say that what is closed below is open.
  await rm(join(folder, 'policy', 'tests'), { recursive: true });
  stack = await startStack({ env: { MAYFLY_BUS: 'postgres', MAYFLY_CONFIG: join(folder, 'mayfly.yaml') } });
  client = await openClient(stack);
}, 180_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await rm(folder, { recursive: true });
}, 60_000);

/** In one step: nobody reads the half of it. */
async function put(file: string, text: string): Promise<void> {
  await writeFile(join(folder, 'next'), text);
  await rename(join(folder, 'next'), file);
}
const closing = (when: string) => put(join(folder, 'policy', 'closing.cedar'), `${CLOSED}\n${when};\n`);
const activated = () => next(client, 'policy.activated', 'policy');
const logged = (what: string) => stack.logs('broker').includes(what);

it('a broker at work decides by a new version, and by the one before where the new one is bad', async () => {
  const taskId = await startTask(client);
  await callOrders(client, taskId);

  let told = activated();
  await closing('when { context.task.risk == "low" }');
  expect((await told).data).toMatchObject({ added: ['guard.closed'], removed: [], changed: [] });
  await expect(callOrders(client, taskId)).rejects.toMatchObject({ code: 'ERR_DATASET_FORBIDDEN' });

  await closing('when { context.now.calls + 1 > 3 }');
  await until(() => logged('a new version of the policies is refused'));
  expect(logged('closing.cedar:3:26: `+` can overflow')).toBe(true);
  await expect(callOrders(client, taskId)).rejects.toMatchObject({ code: 'ERR_DATASET_FORBIDDEN' });

  told = activated();
  await rm(join(folder, 'policy', 'closing.cedar'));
  expect((await told).data).toMatchObject({
    removed: ['guard.closed'],
    by: expect.stringMatching(/^os:/) as string,
  });
  await callOrders(client, taskId);
}, 120_000);

it('all three go by a new version of the catalogue, and by the one before where the new one is bad', async () => {
  const agents = join(folder, 'catalogue', 'agents.yaml');
  const before = await readFile(agents, 'utf8');
  const entry = before.slice(before.lastIndexOf('- id:')).replace(/agent\/\w+/, 'agent/newcomer');

  const told = next(client, 'catalogue.activated', 'catalogue');
  await put(agents, `${before}${entry}`);
  expect((await told).data).toMatchObject({
    changes: { agents: { added: ['spiffe://dev.mayfly/agent/newcomer'], removed: [], changed: [] } },
    entries: { agents: 4 },
  });
  for (const service of ['broker', 'revoker', 'auditor'] as const)
    await until(() => stack.logs(service).includes('another catalogue is gone by'));

  await put(agents, `${before}${entry.replace('owner:', 'onwer:')}`);
  for (const service of ['broker', 'revoker', 'auditor'] as const)
    await until(() => stack.logs(service).includes('a new version of the catalogue is refused'));
  await callOrders(client, await startTask(client));
}, 120_000);

async function until(condition: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 30_000; !condition(); await sleep(50))
    if (Date.now() > endMs) throw new Error('waited in vain');
}
