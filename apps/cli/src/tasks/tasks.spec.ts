/** The commands by which people look after tasks, against a broker that remembers what it was asked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentLogin } from '#identity/development/development-login.js';
import { program } from '../program.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const none = { requested: 0, granted: 0, refused: 0, waiting: 0, used: 0, rows: 0 };
const orders = { tool: 'sql.query', dataset: 'crm.orders' };
const drifted = {
  ...{ taskId: TASK, state: 'suspended', generation: 2, suspendedFor: ['drift'], score: 60 },
  signals: [
    {
      ...{ signal: 'dataset_creep', agent: ANALYST, count: 2 },
      ...{ firstAt: '2026-11-24T12:00:00.000Z', lastAt: '2026-11-24T12:01:00.000Z' },
    },
  ],
  rows: [
    { agent: ANALYST, ...orders, action: 'read', declared: true, ...none, requested: 12, granted: 11 },
    { agent: ANALYST, ...orders, action: 'drop', declared: false, ...none, requested: 2, refused: 2 },
    { tool: 'mail.send', action: 'send', declared: true, ...none },
  ],
  unattributed: { reports: 1, rows: 40 },
  counted: { events: 5000, complete: false },
};

let folder: string;
let server: Server;
let url: string;
let asked: { method: string; path: string; body: string; by: unknown }[];
let stdout: string;
let stderr: string;
let reply: { status: number; body: object };

beforeEach(async () => {
  [asked, stdout, stderr] = [[], '', ''];
  folder = await mkdtemp(join(tmpdir(), 'mayfly-tasks-'));
  await ensureDevelopmentLogin(folder, { MAYFLY_ENV: 'development' });
  server = createServer((request, response) => {
    const token = (request.headers.authorization ?? '').split('.')[1] ?? '';
    const claims = JSON.parse(Buffer.from(token, 'base64url').toString()) as { email?: string };
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      asked.push({ method: request.method ?? '', path: request.url ?? '', body, by: claims.email });
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply.body));
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
  ).parseAsync(['task', ...args, '--broker', url], { from: 'user' });

it('drift shows the table, and beside it what the table does not have', async () => {
  reply = { status: 200, body: drifted };
  await run('drift', TASK);

  expect(asked).toEqual([
    { method: 'GET', path: `/v1/tasks/${TASK}/drift`, body: '', by: 'nadia@corp.example' },
  ]);
  expect(stdout).toBe(`task ${TASK}: suspended (drift), generation 2; drift 60 of 100
  dataset_creep by agent/analyst: 2 times, 2026-11-24T12:00:00.000Z to 2026-11-24T12:01:00.000Z

declared  requested  granted  refused  waiting  used  rows  agent          act
yes              12       11        -        -     -     -  agent/analyst  read crm.orders with sql.query
NO                2        -        2        -     -     -  agent/analyst  drop crm.orders with sql.query
yes               -        -        -        -     -     -  any            send with mail.send

reports of no call in this table: 1, with 40 rows

counted: the newest 5000 events; there are earlier ones
`);
});

it('drift says no more than there is', async () => {
  reply = {
    status: 200,
    body: {
      ...{ ...drifted, state: 'open', suspendedFor: [], score: 0, signals: [], rows: [] },
      ...{ unattributed: { reports: 0, rows: 0 }, counted: { events: 0, complete: true } },
    },
  };
  await run('drift', TASK);

  expect(stdout).toBe(`task ${TASK}: open, generation 2; drift 0 of 100

declared  requested  granted  refused  waiting  used  rows  agent  act
`);
});

it('drift answers with what the broker said when asked for JSON', async () => {
  reply = { status: 200, body: drifted };
  await run('drift', TASK, '--json', '--as', 'user:olga@corp.example');

  expect(JSON.parse(stdout)).toEqual(drifted);
  expect(asked).toMatchObject([{ by: 'olga@corp.example' }]);
});

it.each([
  [
    'suspend',
    'nadia@corp.example',
    { state: 'suspended', suspendedFor: ['operator'] },
    'suspended (operator)',
  ],
  ['resume', 'olga@corp.example', { state: 'open', suspendedFor: [] }, 'open'],
])('%s says so, with its reason', async (verb, by, after, told) => {
  reply = { status: 200, body: { taskId: TASK, generation: 2, changed: true, ...after } };
  await run(verb, TASK, '--reason', 'seen with Maria');

  expect(asked).toEqual([
    { method: 'POST', path: `/v1/tasks/${TASK}/${verb}`, body: '{"reason":"seen with Maria"}', by },
  ]);
  expect(stdout).toBe(`${TASK} ${told}, generation 2\n`);
  expect(stderr).toBe('');
});

it.each([
  ['suspend', ['operator'], 'suspended (operator)', 'an operator had suspended it before\n'],
  ['resume', [], 'open', 'it was not suspended\n'],
])('%s says where it changed nothing', async (verb, suspendedFor, told, remark) => {
  const state = suspendedFor.length === 0 ? 'open' : 'suspended';
  reply = { status: 200, body: { taskId: TASK, state, suspendedFor, generation: 3, changed: false } };
  await run(verb, TASK, '--reason', 'again');

  expect(stderr).toBe(remark);
  expect(stdout).toBe(`${TASK} ${told}, generation 3\n`);
});

it('what the broker says no with is told with its code', async () => {
  reply = { status: 403, body: { code: 'ERR_APPROVER_INVOLVED', detail: 'no part in it' } };

  await expect(run('resume', TASK, '--reason', 'mine')).rejects.toMatchObject({
    code: 'ERR_CLI_ANSWER',
    message: 'the broker answered 403: ERR_APPROVER_INVOLVED: no part in it',
  });
});

it.each([
  [['suspend', TASK], 'commander.missingMandatoryOptionValue'],
  [['resume', TASK], 'commander.missingMandatoryOptionValue'],
  [['drift', 'no-id'], 'ERR_CLI_USAGE'],
  [['suspend', 'no-id', '--reason', 'x'], 'ERR_CLI_USAGE'],
])('refuses what it does not understand, and asks nobody: %p', async (args, code) => {
  await expect(run(...args)).rejects.toMatchObject({ code });
  expect(asked).toEqual([]);
});
