/** Proves that the examples do what they say, as processes of their own, against an installation as `npm start` brings it up. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { developmentIdentity } from '#agent/development-identity.js';
import { HttpTransport } from '#agent/http-transport.js';
import type { Task } from '#agent/task.js';
import { withTask } from '#agent/with-task.js';
import { declaration } from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { usablePrincipals } from './support/target-session.js';

/** A verifier takes 3 s without a heartbeat for not knowing. */
const SILENCE_MS = 4_000;

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const example = (path: string) => join(root, 'dist', 'examples', ...path.split('/'));

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

describe('the examples', () => {
  let stack: TestStack;
  let env: NodeJS.ProcessEnv;
  const services: ChildProcess[] = [];

  beforeAll(async () => {
    const own = {
      MAYFLY_ORDERS_API: `http://127.0.0.1:${await freePort()}`,
      MAYFLY_ORDERS_MCP: `http://127.0.0.1:${await freePort()}`,
    };
    stack = await startStack({ env: own });
    const { NODE_OPTIONS: _jest, ...shell } = process.env;
    env = { ...shell, ...own, MAYFLY_STATE_DIR: stack.stateDir };
    await Promise.all([startService('orders-api/main.js'), startService('mcp-server/main.js')]);
  }, 240_000);
  afterAll(async () => {
    for (const service of services) service.kill('SIGTERM');
    for (const service of services) if (service.exitCode === null) await once(service, 'exit');
    await stack?.stop();
  }, 60_000);

  /** Resolves once it says that it is ready. */
  async function startService(path: string): Promise<void> {
    const service = spawn(process.execPath, [example(path)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    services.push(service);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      service.stdout.on('data', (chunk) => {
        if (/ ready at /.test((said += String(chunk)))) resolve();
      });
      service.once('exit', () => reject(new Error(`${path} ended before it was ready`)));
    });
  }

  const identity = (id: string) =>
    developmentIdentity(`spiffe://dev.mayfly/${id}`, {
      stateDir: stack.stateDir,
      env: { MAYFLY_ENV: 'development' },
    });

  const story = async (path: string) =>
    (await run(process.execPath, [example(path)], { env, timeout: 60_000 })).stdout;

  it('a first agent: one task, one database user, one query', async () => {
    expect(await story('first-agent/main.js')).toMatch(/^\d+ paid orders, [\d.]+ in all$/m);
  });

  it('planner and executor: one plans and cannot act, the other acts, and no model reads a credential', async () => {
    const told = await story('planner-executor/main.js');
    expect(told).toMatch(/^planner reads .*"item":"ink"/m);
    expect(told).toMatch(/^planner orders +ERR_(NOT_DECLARED|TOOL_FORBIDDEN): /m);
    expect(told).toMatch(/^its read token +does not write: 403 ERR_ACT_NOT_GRANTED$/m);
    expect(told).toMatch(/^executor places +\{.*"by":"spiffe:\/\/dev\.mayfly\/agent\/executor"\}$/m);
    expect(told).toMatch(/^its token, kept +is dead: 401 ERR_TOKEN_REVOKED$/m);
    expect(told).not.toMatch(/eyJ[\w-]+\./);
  });

  it('an MCP server: each tool for who may call it, with what was decided on, while the task lives', async () => {
    const told = await story('mcp-server/agent.js');
    expect(told).toMatch(/^tools +list_orders, place_order$/m);
    expect(told).toMatch(/^to read +ERR_ACT_NOT_GRANTED$/m);
    expect(told).toMatch(/^to write +\{.*"item":"paper".*"by":"spiffe:\/\/dev\.mayfly\/agent\/executor"\}$/m);
    expect(told).toMatch(/^otherwise +ERR_ARGUMENTS_MISMATCH$/m);
    expect(told).toMatch(/^afterwards +ERR_TASK_OVER$/m);
  });

  it('an agent whose every first answer is lost has what it asked for, once', async () => {
    const lost: string[] = [];
    const losing: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const path = new URL(input instanceof Request ? input.url : input).pathname.replace(
        /[0-9a-f-]{36}/,
        '{id}',
      );
      if (lost.includes(path)) return response;
      lost.push(path);
      await response.body?.cancel();
      throw new TypeError('fetch failed');
    };
    const transport = new HttpTransport({ url: stack.addresses.broker, fetch: losing });
    // What was lent before goes only after the end of its task.
    while ((await usablePrincipals(stack.urls.target)).length > 0) await sleep(50);
    const users = await withTask(
      declaration(),
      async (task) => {
        const call = { tool: 'sql.query', dataset: 'crm.orders', action: 'read', kind: 'postgres' } as const;
        const lent = [await task.credential(call), await task.credential(call)];
        const usable = await usablePrincipals(stack.urls.target);
        const asked = lent.map(({ connection }) => connection.user);
        return { asked: asked.sort(), usable: usable.map(({ rolname }) => rolname).sort() };
      },
      { transport, identity: identity('orchestrator/sample'), agent: identity('agent/analyst') },
    );
    expect(lost).toEqual(['/v1/tasks', '/v1/tasks/{id}/calls', '/v1/tasks/{id}/end']);
    // Made once each, though the first call was made twice.
    expect(users.usable).toEqual(users.asked);
  });

  it('a service that hears nothing of the revoker knows that it does not know', async () => {
    const access = { tool: 'orders.api', dataset: 'orders' };
    const orders = `${env.MAYFLY_ORDERS_API}/orders`;
    const ask = async (task: Task, action: string, init?: RequestInit) => {
      const credential = await task.credential({ ...access, action, kind: 'jwt' });
      const response = await credential.fetch(orders, init);
      return [response.status, ((await response.json()) as { code?: string }).code];
    };
    const order = { method: 'POST', body: '{"item":"ink","quantity":1}' };
    await withTask(
      declaration({
        agents: [{ id: 'spiffe://dev.mayfly/agent/executor' }],
        declared: [{ ...access, actions: ['read', 'write'] }],
      }),
      async (task) => {
        let [status, code] = await ask(task, 'write', order);
        // It may not have heard of the revoker for a moment.
        while (code === 'ERR_REVOCATION_UNKNOWN') [status, code] = await ask(task, 'write', order);
        expect([status, code]).toEqual([201, undefined]);
        await stack.kill('revoker');
        await sleep(SILENCE_MS);
        // The broker does not know either: it hears of the dead from the revoker, too.
        expect(await ask(task, 'read')).toEqual([401, 'ERR_TOKEN_INACTIVE']);
        expect(await ask(task, 'write', order)).toEqual([503, 'ERR_REVOCATION_UNKNOWN']);
      },
      {
        broker: stack.addresses.broker,
        identity: identity('orchestrator/sample'),
        agent: identity('agent/executor'),
      },
    );
    await stack.start('revoker');
  });

  it('an MCP server says where its tokens come from', async () => {
    const answer = await fetch(`${env.MAYFLY_ORDERS_MCP}/.well-known/oauth-protected-resource`);
    expect(await answer.json()).toMatchObject({
      resource: env.MAYFLY_ORDERS_MCP,
      authorization_servers: [stack.addresses.broker],
    });
  });
});
