/**
 * A database that was put back: its service refuses to run, an operator decides, and then nothing of the life that it has
 * forgotten goes on. On the bus that `npm start` finds first, with the processes as they are run.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { SERVICES, type ServiceName } from '#events/services.js';
import { TASK_EVENTS } from '#events/topics.js';
import { openDatabase, type Database } from '#store/database.js';
import { loginUrl } from '../apps/cli/src/logins.js';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { program } from '../apps/cli/src/program.js';
import { copySchema } from '../libs/store/test/copy-schema.js';
import {
  callOrders,
  declaration,
  endTask,
  next,
  openClient,
  ORCHESTRATOR,
  startTask,
} from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { login, query, usablePrincipals } from './support/target-session.js';

const root = join(import.meta.dirname, '..');
const config = join(root, 'deploy', 'sample', 'mayfly.yaml');

describe('a restored database', () => {
  let stack: TestStack;
  let client: MayflyClient;
  const databases: Database[] = [];
  beforeAll(async () => {
    stack = await startStack();
    client = await openClient(stack);
  }, 180_000);
  afterAll(async () => {
    await Promise.all(databases.map((db) => db.close()));
    await client?.close();
    await stack?.stop();
  }, 60_000);

  /** Of one service, as an administrator sees it. */
  function schemaOf(service: 'broker' | 'revoker'): Database {
    const db = openDatabase({ url: stack.urls.database, schema: service, application: 'restore-spec' });
    databases.push(db);
    return db;
  }

  async function environmentOf(service: ServiceName): Promise<NodeJS.ProcessEnv> {
    const { addresses, stateDir } = stack;
    const at = (server: 'postgres' | 'target', user: string) => loginUrl(stateDir, addresses, server, user);
    const target = new URL(await at('target', service === 'auditor' ? 'mayfly_broker' : `mayfly_${service}`));
    return {
      ...process.env,
      ...{ MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stateDir },
      ...(addresses.kafka === null
        ? { KAFKA_BROKERS: '', MAYFLY_BUS_DATABASE_URL: await at('postgres', `mayfly_bus_${service}`) }
        : { KAFKA_BROKERS: addresses.kafka }),
      [`MAYFLY_${service.toUpperCase()}_DATABASE_URL`]: await at('postgres', `mayfly_${service}`),
      MAYFLY_AUDITOR_OWNER_DATABASE_URL: await at('postgres', 'mayfly_audit_owner'),
      MAYFLY_TARGET_HOST: target.hostname,
      MAYFLY_TARGET_PORT: target.port,
      MAYFLY_TARGET_DATABASE: target.pathname.slice(1),
      MAYFLY_TARGET_USER: target.username,
      MAYFLY_TARGET_PASSWORD: decodeURIComponent(target.password),
    };
  }

  /** @returns what the command printed, and how it ended. */
  async function mayfly(
    env: NodeJS.ProcessEnv,
    ...args: string[]
  ): Promise<{ said: string; error: unknown }> {
    let said = '';
    const stream = { write: (text: string) => (said += text) };
    try {
      await program(env, { stdout: stream, stderr: stream }).parseAsync(args, { from: 'user' });
      return { said, error: undefined };
    } catch (error) {
      return { said, error };
    }
  }

  async function recover(service: ServiceName, ...more: string[]): Promise<void> {
    const args = ['recover', '--service', service, '--config', config, '--confirm', ...more];
    expect((await mayfly(await environmentOf(service), ...args)).error).toBeUndefined();
  }

  it('of the broker: refused, then recovered; every credential dies, and new ones are made', async () => {
    const known = await callOrders(client, await startTask(client));
    await stack.kill('broker', 'SIGTERM');
    const restore = await copySchema(schemaOf('broker'));
    await stack.start('broker');
    const forgotten = await callOrders(client, await startTask(client));
    await stack.kill('broker');
    await restore();

    await expect(stack.start('broker')).rejects.toThrow();
    expect(stack.logs('broker')).toContain('ERR_STORE_RESTORED broker');
    expect(await usablePrincipals(stack.urls.target)).toHaveLength(2);
    const env = { ...process.env, MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stack.stateDir };
    expect((await mayfly(env, 'doctor')).said).toMatch(/fail {2}store of the broker: restored/);

    await recover('broker');
    await stack.start('broker');

    await expect(login(known.credential)).rejects.toThrow();
    await expect(login(forgotten.credential)).rejects.toThrow();
    expect(await usablePrincipals(stack.urls.target)).toEqual([]);
    const taskId = await startTask(client);
    await (await login((await callOrders(client, taskId)).credential)).end();
    const removed = next(client, 'lease.removed', taskId);
    await endTask(client, taskId);
    await removed;
  }, 240_000);

  it('of the revoker: refused, then recovered; what it has forgotten is cut', async () => {
    await stack.kill('revoker', 'SIGTERM');
    const restore = await copySchema(schemaOf('revoker'));
    await stack.start('revoker');
    const taskId = await startTask(client);
    const { credential } = await callOrders(client, taskId);
    await (await login(credential)).end();
    // One that has said nothing since has lost nothing but what it will read again.
    await beats(schemaOf('revoker'));
    await stack.kill('revoker');
    await restore();
    await endTask(client, taskId);

    await expect(stack.start('revoker')).rejects.toThrow();
    expect(stack.logs('revoker')).toContain('ERR_STORE_RESTORED revoker');

    await recover('revoker');
    const removed = next(client, 'lease.removed', taskId);
    await stack.start('revoker');

    expect((await removed).data).toMatchObject({ leaseId: credential.leaseId, cause: 'task_ended' });
    expect(await usablePrincipals(stack.urls.target)).toEqual([]);
  }, 240_000);

  it('is not what a topic made anew is: tasks are suspended, and go on at a word of their orchestrator', async () => {
    const declared = declaration();
    const taskId = await startTask(client, declared);
    await callOrders(client, taskId);
    for (const service of SERVICES) await stack.kill(service, 'SIGTERM');
    await makeAnew(stack, TASK_EVENTS);

    await expect(stack.start('broker')).rejects.toThrow();
    expect(stack.logs('broker')).toContain('ERR_OFFSET_OUT_OF_RANGE');
    for (const service of SERVICES) await recover(service, '--topic', TASK_EVENTS);
    const suspended = next(client, 'task.suspended', taskId);
    for (const service of ['auditor', 'revoker', 'broker'] as const) await stack.start(service);

    expect((await suspended).data).toMatchObject({ cause: 'topic_recreated', generation: 2 });
    await expect(callOrders(client, taskId)).rejects.toMatchObject({ code: 'ERR_TASK_SUSPENDED' });
    const resumed = next(client, 'task.resumed', taskId);
    void client
      .send('task.started', declared, ORCHESTRATOR, 1_000)
      .then(({ verdict }) => verdict)
      .catch(() => undefined);
    expect((await resumed).data).toMatchObject({ cause: 'topic_recreated' });
    await (await login((await callOrders(client, taskId)).credential)).end();
    expect(await usablePrincipals(stack.urls.target)).toHaveLength(1);
    const removed = next(client, 'lease.removed', taskId);
    await endTask(client, taskId);
    await removed;
  }, 240_000);

  it('may be looked at: with --observe it answers HTTP, is not ready, and lists what it would revoke', async () => {
    const taskId = await startTask(client);
    const { credential } = await callOrders(client, taskId);
    await stack.kill('revoker', 'SIGTERM');
    await endTask(client, taskId);
    const { revoker } = stack.addresses;
    const { port } = new URL(revoker);
    const child = spawn(
      process.execPath,
      [join(root, 'dist/apps/revoker/src/main.js'), '--config', config, '--observe'],
      {
        env: { ...(await environmentOf('revoker')), MAYFLY_REVOKER_PORT: port, NODE_OPTIONS: '' },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let said = '';
    const foreseen = new Promise<void>((resolve) =>
      child.stderr.on('data', (text: Buffer) => {
        said += text.toString();
        if (/what would be revoked|nothing is foreseen/.test(said)) resolve();
      }),
    );
    try {
      const answer = await answered(`${revoker}/health/ready`);
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain('observing only');
      await foreseen;
      expect(said).toContain('what would be revoked, and is not');
      expect(said).toContain(credential.leaseId);
      const line = said.split('\n').find((each) => each.includes(credential.leaseId));
      expect(JSON.parse(line ?? '{}')).toMatchObject({
        ...{ msg: 'would be revoked', taskId, target: 'shop', cause: 'task_ended' },
      });
      await (await login(credential)).end();
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      expect((await exited)[0]).toBe(0);
      const removed = next(client, 'lease.removed', taskId);
      await stack.start('revoker');
      await removed;
    }
  }, 240_000);
});

/** Takes a topic away; whoever starts next makes it again. */
async function makeAnew({ addresses: { kafka }, urls }: TestStack, topic: string): Promise<void> {
  if (kafka === null) {
    for (const table of ['log_record', 'log_head', 'topic'])
      await query(
        urls.database,
        `DELETE FROM bus.${table} WHERE ${table === 'topic' ? 'name' : 'topic'} = $1`,
        [topic],
      );
    return;
  }
  const admin = new kafkajs.Kafka({ brokers: kafka.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  while ((await admin.listTopics()).includes(topic)) await new Promise((resolve) => setTimeout(resolve, 50));
  await admin.disconnect();
}

/** Waits until the revoker has said something more. */
async function beats({ pool }: Database): Promise<void> {
  const sent = async () => (await pool.query<{ sent: bigint }>('SELECT sent FROM store_meta')).rows[0]?.sent;
  const before = await sent();
  while ((await sent()) === before) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function answered(url: string): Promise<Response> {
  for (const endMs = Date.now() + 60_000; ;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
