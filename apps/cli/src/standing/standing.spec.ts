/** The command, against a revoker that remembers what it was asked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentLogin } from '#identity/development/development-login.js';
import { program } from '../program.js';
import type { ShownStanding, ShownTarget } from './shown-standing.js';

const shop: ShownTarget = {
  ...{ target: 'shop', provider: 'postgres', canBeSurveyed: true },
  ...{ surveyedAt: '2026-11-28T12:00:00.000Z', failed: null },
};
const tokens: ShownTarget = {
  ...{ target: 'orders-api', provider: 'jwt', canBeSurveyed: false, surveyedAt: null, failed: null },
};
const bot: ShownStanding = {
  ...{ target: 'shop', provider: 'postgres', principal: 'report_bot' },
  reaches: [{ dataset: 'crm.orders', actions: ['read'], owner: 'sales@corp.example' }],
  how: [
    { way: 'grant', object: 'crm.orders', rights: ['SELECT'] },
    { way: 'grant', object: 'crm.orders', rights: ['SELECT'], through: 'readers' },
  ],
  ...{ neverExpires: true, foundAt: '2026-11-28T11:00:00.000Z', allowed: null },
  remedy: ['REVOKE SELECT ON TABLE "crm"."orders" FROM "report_bot";'],
};
const allowedUntil = (review: string, overdue: boolean): ShownStanding => ({
  ...{ ...bot, principal: 'postgres', how: [{ way: 'superuser' }] },
  allowed: { reason: 'the superuser', review, overdue },
});

let folder: string;
let server: Server;
let url: string;
let asked: { method: string; path: string; by: unknown }[];
let stdout: string;
let stderr: string;
let reply: { status: number; body: object };

beforeEach(async () => {
  [asked, stdout, stderr] = [[], '', ''];
  folder = await mkdtemp(join(tmpdir(), 'mayfly-standing-'));
  await ensureDevelopmentLogin(folder, { MAYFLY_ENV: 'development' });
  server = createServer((request, response) => {
    const token = (request.headers.authorization ?? '').split('.')[1] ?? '';
    const claims = JSON.parse(Buffer.from(token, 'base64url').toString()) as { email?: string };
    asked.push({ method: request.method ?? '', path: request.url ?? '', by: claims.email });
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.body));
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
  ).parseAsync(['standing-access', '--revoker', url, ...args], { from: 'user' });
const shows = (standing: ShownStanding[], targets = [shop, tokens]) => {
  reply = { status: 200, body: { targets, standing } };
};

it('lists who can get at what, how, and whose the data is', async () => {
  shows([bot]);
  await run();

  expect(asked).toEqual([{ method: 'GET', path: '/v1/standing-access', by: 'nadia@corp.example' }]);
  expect(stdout).toBe(
    [
      'shop (postgres), as of 2026-11-28T12:00:00.000Z: 1 principal that no lease explains',
      '  report_bot  never expires, since 2026-11-28T11:00:00.000Z',
      '    crm.orders  read  (owner: sales@corp.example)',
      '    how: granted SELECT on crm.orders; granted SELECT on crm.orders by readers',
      '',
      'not looked at, because there are no accounts: orders-api',
      '',
    ].join('\n'),
  );
});

it('shows apart what is allowed, and what was allowed for too long', async () => {
  shows([allowedUntil('2027-10-31', false)]);
  await run();
  expect(stdout).toContain(
    ': 0 principals that no lease explains\n  postgres  allowed until 2027-10-31: the superuser',
  );

  stdout = '';
  shows([allowedUntil('2026-10-31', true)]);
  await run();
  expect(stdout).toContain(
    '  postgres  never expires, since 2026-11-28T11:00:00.000Z, was allowed until 2026-10-31',
  );
  expect(stderr).toContain('the day of their review is over');
});

it('says where nobody could look', async () => {
  shows([], [{ ...shop, surveyedAt: null, failed: 'ERR_TARGET_UNREACHABLE' }]);
  await run();
  expect(stdout).toBe('shop (postgres): not looked at yet; the last look failed: ERR_TARGET_UNREACHABLE\n');
});

it('prints nothing that a terminal would obey', async () => {
  shows([{ ...bot, principal: 'x\u001b[2J\u202e', how: [{ way: 'grant', object: 'a\nb' }] }]);
  await run();
  for (const character of ['\u001b', '\u202e']) expect(stdout).not.toContain(character);
  expect(stdout).toContain('on a\uFFFDb');
});

describe('--remediate', () => {
  it('prints a script for each target, which changes nothing until somebody changes its end', async () => {
    shows([bot, allowedUntil('2027-10-31', false)]);
    await run('--remediate');

    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^-- Target shop \(postgres\), as it was seen at 2026-11-28T12:00:00\.000Z\./);
    expect(lines).toContain(
      '-- Nobody has run this. Read all of it, ask the owners, and run it yourself as an administrator of the target.',
    );
    expect(lines).toContain('-- owner of the data: sales@corp.example');
    expect(stdout).not.toContain('postgres:');
    const statements = lines.filter((line) => line !== '' && !line.startsWith('--'));
    expect(statements).toEqual(['BEGIN;', bot.remedy[0], 'ROLLBACK;']);
  });

  it('keeps a hostile name inside its comment', async () => {
    shows([{ ...bot, principal: 'x\nDROP TABLE crm.orders;', remedy: ['REVOKE 1;\nDROP TABLE y;'] }]);
    await run('--remediate');
    const statements = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('--'));
    expect(statements).toEqual(['BEGIN;', 'REVOKE 1; DROP TABLE y;', 'ROLLBACK;']);
  });

  it('comments as the target’s own language does', async () => {
    const redis = { ...shop, target: 'cache', provider: 'redis' };
    shows([{ ...bot, target: 'cache', provider: 'redis', remedy: ['ACL DELUSER report_bot'] }], [redis]);
    await run('--remediate', '--json');
    const { scripts } = JSON.parse(stdout) as { scripts: { target: string; script: string }[] };
    const lines = scripts[0]?.script.split('\n') ?? [];
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual(['ACL DELUSER report_bot']);
  });

  it('prints no script where nothing is to be taken away, and says so', async () => {
    shows([allowedUntil('2027-10-31', false)]);
    await run('--remediate');
    expect(stdout).toBe('\n');
    expect(stderr).toContain('nothing is to be taken away');
  });
});

it('answers with one document, of one target alone where that is asked', async () => {
  shows([bot, { ...bot, target: 'store' }], [shop, { ...shop, target: 'store' }]);
  await run('--json', '--target', 'store');
  expect(JSON.parse(stdout)).toMatchObject({
    targets: [{ target: 'store' }],
    standing: [{ target: 'store' }],
  });

  await expect(run('--target', 'nowhere')).rejects.toMatchObject({ code: 'ERR_CLI_NOT_FOUND' });
});

it('says what the revoker said no with', async () => {
  reply = { status: 403, body: { code: 'ERR_FORBIDDEN', detail: 'the caller is neither' } };
  await expect(run()).rejects.toMatchObject({
    code: 'ERR_CLI_ANSWER',
    message: 'the revoker answered 403: ERR_FORBIDDEN: the caller is neither',
  });
});
