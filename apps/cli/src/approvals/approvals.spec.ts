/** The commands, against a broker that remembers what it was asked. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentLogin } from '#identity/development/development-login.js';
import { program } from '../program.js';

const ID = '0192f0a0-0000-7000-8000-0000000000a1';
const shown = {
  ...{ approvalId: ID, taskId: 't', callId: 'c', agent: 'spiffe://dev.mayfly/agent/analyst' },
  ...{ tool: 'sql.query', dataset: 'crm.orders', action: 'write', approval: 'two-person', needed: 2 },
  ...{ grants: [] as string[], state: 'open', callDigest: 'sha256:d', expiresAt: '2026-11-24T12:15:00.000Z' },
  binds: { what: 'these_rights', rights: ['pol_crm_orders_write'], seconds: 60 },
  reasons: ['writes need an approver'],
};

let folder: string;
let server: Server;
let url: string;
let asked: { method: string; path: string; body: string; by: unknown }[];
let stdout: string;
let stderr: string;
let reply: (path: string) => { status: number; body: object };

beforeEach(async () => {
  [asked, stdout, stderr] = [[], '', ''];
  folder = await mkdtemp(join(tmpdir(), 'mayfly-approvals-'));
  await ensureDevelopmentLogin(folder, { MAYFLY_ENV: 'development' });
  reply = () => ({ status: 200, body: shown });
  server = createServer((request, response) => {
    const token = (request.headers.authorization ?? '').split('.')[1] ?? '';
    const claims = JSON.parse(Buffer.from(token, 'base64url').toString()) as { email?: string };
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const path = request.url ?? '';
      asked.push({ method: request.method ?? '', path, body, by: claims.email });
      const answer = reply(path);
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
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
  ).parseAsync(args, { from: 'user' });

it('approve says what a yes is for, and gives it for the very call that was shown', async () => {
  reply = (path) => ({
    status: 200,
    body: path.endsWith('/grant') ? { ...shown, grants: ['user:olga@corp.example'] } : shown,
  });
  await run('approve', ID, '--broker', url, '--reason', 'seen');

  expect(stderr).toContain('these rights for 60 s at most: pol_crm_orders_write');
  expect(stdout).toBe(`${ID} open: 1 more to go\n`);
  expect(asked).toEqual([
    { method: 'GET', path: `/v1/approvals/${ID}`, body: '', by: 'olga@corp.example' },
    {
      method: 'POST',
      path: `/v1/approvals/${ID}/grant`,
      body: '{"callDigest":"sha256:d","reason":"seen"}',
      by: 'olga@corp.example',
    },
  ]);
});

it.each([
  [['deny', ID, '--reason', 'no'], 'refuse', '{"reason":"no"}'],
  [['approvals', 'withdraw', ID], 'withdraw', '{}'],
])('%j says so', async (args, verb, body) => {
  reply = () => ({ status: 200, body: { ...shown, state: 'refused' } });
  await run(...args, '--broker', url);

  expect(asked).toMatchObject([{ method: 'POST', path: `/v1/approvals/${ID}/${verb}`, body }]);
  expect(stdout).toBe(`${ID} refused\n`);
});

it('list shows what waits, page by page', async () => {
  reply = (path) => ({
    status: 200,
    body: path.includes('after=') ? { approvals: [] } : { approvals: [shown], next: ID },
  });
  await run('approvals', 'list', '--broker', url, '--json');

  expect(JSON.parse(stdout)).toMatchObject({ approvals: [{ approvalId: ID, state: 'open' }] });
  expect(asked.map(({ path }) => path)).toEqual([
    '/v1/approvals?state=open',
    `/v1/approvals?state=open&after=${ID}`,
  ]);
});

it('break-glass is said with its reason, and a digest in place of the one that is shown', async () => {
  await run(
    'approve',
    ID,
    '--broker',
    url,
    '--as',
    'user:nadia@corp.example',
    '--digest',
    'sha256:e',
    '--break-glass',
    'fire',
  );

  expect(asked.at(-1)).toMatchObject({
    by: 'nadia@corp.example',
    body: '{"callDigest":"sha256:e","breakGlass":{"reason":"fire"}}',
  });
});

it('a token in a file is sent as it is', async () => {
  const claims = Buffer.from('{"email":"own@corp.example"}').toString('base64url');
  await writeFile(join(folder, 'token'), `a.${claims}.c\n`);
  await run('approvals', 'list', '--broker', url, '--token', join(folder, 'token')).catch(() => undefined);

  expect(asked).toMatchObject([{ by: 'own@corp.example' }]);
});

it('what the broker says no with is told with its code', async () => {
  reply = () => ({ status: 403, body: { code: 'ERR_APPROVER_INVOLVED', detail: 'whoever asks' } });
  await expect(run('deny', ID, '--broker', url)).rejects.toMatchObject({
    code: 'ERR_CLI_ANSWER',
    message: 'the broker answered 403: ERR_APPROVER_INVOLVED: whoever asks',
  });
});

it('login-token prints the token alone, for 5 minutes at most', async () => {
  await run('login-token', '--as', 'user:olga@corp.example');
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  await expect(run('login-token', '--as', 'user:olga@corp.example', '--ttl', '301')).rejects.toMatchObject({
    code: 'ERR_IDENTITY_LOGIN_REFUSED',
  });
});
