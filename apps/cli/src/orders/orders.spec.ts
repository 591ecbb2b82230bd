/** The commands by which operators cut access, against a revoker that remembers what it was asked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentLogin } from '#identity/development/development-login.js';
import { program } from '../program.js';
import type { ShownOrder } from './shown-order.js';

const ORDER = '0192f0a0-0000-7000-8000-000000000001';
const LEASE = '0192f0a0-0000-7000-8000-000000000002';
const TASK = '0192f0a0-0000-7000-8000-000000000003';
const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const proven: ShownOrder = {
  ...{ orderId: ORDER, scope: 'agent', subject: ANALYST, by: 'user:nadia@corp.example', reason: 'seen' },
  ...{ orderedAt: '2026-11-24T12:00:00.000Z', state: 'proven', due: [] },
  leases: { found: 3, due: 0, unproven: 0, cut: 1, removed: 2 },
};
const cutting: ShownOrder = {
  ...{ ...proven, state: 'cutting', leases: { found: 3, due: 2, unproven: 1, cut: 0, removed: 1 } },
  due: [
    {
      ...{ leaseId: LEASE, taskId: TASK, agent: ANALYST, target: 'shop', cause: 'agent_revoked' },
      ...{ attempts: 4, exposureMs: 34_210 },
    },
  ],
};

let folder: string;
let server: Server;
let url: string;
let asked: { method: string; path: string; body: unknown; by: unknown }[];
let stdout: string;
let stderr: string;
/** The last one is given again and again. */
let replies: { status: number; body: object }[];

beforeEach(async () => {
  [asked, stdout, stderr] = [[], '', ''];
  folder = await mkdtemp(join(tmpdir(), 'mayfly-orders-'));
  await ensureDevelopmentLogin(folder, { MAYFLY_ENV: 'development' });
  server = createServer((request, response) => {
    const token = (request.headers.authorization ?? '').split('.')[1] ?? '';
    const claims = JSON.parse(Buffer.from(token, 'base64url').toString()) as { email?: string };
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url: path = '' } = request;
      asked.push({ method, path, body: body === '' ? '' : JSON.parse(body), by: claims.email });
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      response.writeHead(reply?.status ?? 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply?.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const run = (...args: string[]) =>
  program(
    { MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: folder },
    { stdout: { write: (text) => (stdout += text) }, stderr: { write: (text) => (stderr += text) } },
  ).parseAsync([...args, '--revoker', url], { from: 'user' });

it('waits until all is proven, says how far it is, and then what was proven', async () => {
  replies = [
    { status: 202, body: cutting },
    { status: 200, body: proven },
  ];
  await run('agent', 'revoke', ANALYST, '--reason', 'seen', '--order', ORDER);

  expect(asked).toEqual([
    {
      ...{ method: 'POST', path: '/v1/revoke', by: 'nadia@corp.example' },
      body: { agent: ANALYST, reason: 'seen', orderId: ORDER },
    },
    { method: 'GET', path: `/v1/revocations/${ORDER}`, body: '', by: 'nadia@corp.example' },
  ]);
  expect(stderr).toBe(`order ${ORDER}\n1 of 3 proven cut\n`);
  expect(stdout).toBe(
    `order ${ORDER}: agent ${ANALYST}\nproven: 3 leases, 3 proven cut, 2 of them removed\n`,
  );
});

it('fails where not all is proven in time, and says what is not', async () => {
  replies = [{ status: 202, body: cutting }];

  await expect(run('lease', 'revoke', LEASE, '--reason', 'seen', '--wait', '0')).rejects.toMatchObject({
    code: 'ERR_CLI_NOT_PROVEN',
    message: `not all is proven after 0 s. The revoker goes on: mayfly revocation show ${ORDER}`,
  });
  expect(asked).toMatchObject([{ body: { lease: LEASE, reason: 'seen' } }]);
  expect(stdout).toBe(
    `order ${ORDER}: agent ${ANALYST}\n` +
      'being cut: 3 leases, 1 proven cut, 1 of them removed; 2 NOT PROVEN\n' +
      `  ${LEASE} at shop, of ${ANALYST}: failed 4 times, exposed for 34.2 s\n` +
      '  and 1 more\n',
  );
});

it.each([
  [['--task', TASK], { task: TASK }],
  [['--target', 'shop'], { target: 'shop' }],
  [['--agent', ANALYST], { agent: ANALYST }],
  [['--lease', LEASE], { lease: LEASE }],
  [['--all', '--confirm'], { all: true, confirm: true }],
])('revoke %j says so', async (args, body) => {
  replies = [{ status: 202, body: proven }];
  await run('revoke', ...args, '--reason', 'seen', '--json');

  expect(asked).toMatchObject([{ path: '/v1/revoke', body: { ...body, reason: 'seen' } }]);
  expect(JSON.parse(stdout)).toEqual(proven);
});

it.each([
  [['revoke', '--all', '--reason', 'x'], 'ERR_CLI_USAGE'],
  [['revoke', '--reason', 'x'], 'ERR_CLI_USAGE'],
  [['revoke', '--task', TASK, '--all', '--confirm', '--reason', 'x'], 'ERR_CLI_USAGE'],
  [['revoke', '--all', '--confirm'], 'commander.missingMandatoryOptionValue'],
  [['agent', 'revoke', ANALYST], 'commander.missingMandatoryOptionValue'],
  [['lease', 'revoke', LEASE, '--reason', 'x', '--wait', 'long'], 'commander.invalidArgument'],
])('refuses what it does not understand, and asks nobody: %j', async (args, code) => {
  await expect(run(...args)).rejects.toMatchObject({ code });
  expect(asked).toEqual([]);
});

it('shows what of an order is proven by now', async () => {
  replies = [{ status: 200, body: proven }];
  await run('revocation', 'show', ORDER);

  expect(asked).toMatchObject([{ method: 'GET', path: `/v1/revocations/${ORDER}` }]);
  expect(stdout).toContain('proven: 3 leases');
});

it('lets an agent have credentials again, and says where it could before', async () => {
  replies = [{ status: 200, body: { agent: ANALYST, agentGeneration: 1, changed: false } }];
  await run('agent', 'reinstate', ANALYST, '--reason', 'a new key');

  expect(asked).toMatchObject([{ path: '/v1/reinstate', body: { agent: ANALYST, reason: 'a new key' } }]);
  expect(stdout).toBe(`${ANALYST} may have credentials again, generation 1\n`);
  expect(stderr).toBe('it had been reinstated before\n');
});

it('lists leases, page by page', async () => {
  const lease = {
    ...{ leaseId: LEASE, taskId: TASK, generation: 1, agent: ANALYST, provider: 'postgres', target: 'shop' },
    ...{ principal: 'ksmp1', rights: ['pol'], issued: true, notAfter: '2026-11-24T12:05:00.000Z' },
  };
  const revocation = { cause: 'operator', requestedAt: '2026-11-24T12:00:00.000Z', attempts: 0 };
  replies = [
    { status: 200, body: { leases: [{ ...lease, state: 'live' }], next: LEASE } },
    { status: 200, body: { leases: [{ ...lease, state: 'due', revocation }] } },
  ];
  await run('lease', 'list', '--agent', ANALYST, '--state', 'live');

  expect(asked.map(({ path }) => path)).toEqual([
    `/v1/leases?agent=${encodeURIComponent(ANALYST)}&state=live&limit=200`,
    `/v1/leases?agent=${encodeURIComponent(ANALYST)}&state=live&after=${LEASE}&limit=200`,
  ]);
  expect(stdout).toBe(
    `${LEASE}  live  ${ANALYST}  shop  ksmp1  until 2026-11-24T12:05:00.000Z\n` +
      `${LEASE}  due  ${ANALYST}  shop  ksmp1  operator\n`,
  );
});

it('what the revoker says no with is told with its code', async () => {
  replies = [{ status: 403, body: { code: 'ERR_NOT_ENTITLED', detail: 'people who are operators' } }];

  await expect(run('lease', 'revoke', LEASE, '--reason', 'x')).rejects.toMatchObject({
    code: 'ERR_CLI_ANSWER',
    message: 'the revoker answered 403: ERR_NOT_ENTITLED: people who are operators',
  });
});
