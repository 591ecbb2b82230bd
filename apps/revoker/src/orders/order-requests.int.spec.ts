/** Operators over HTTP: who is believed, what is taken, and what is told. */
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { v7 as uuidv7 } from 'uuid';
import { ProblemFilter } from '#service/problem.js';
import { Metrics } from '#telemetry/metrics.js';
import type { Plan } from '#providers/provider.js';
import { createEventMeasures } from '../caep/measures.js';
import { SecurityEvents } from '../caep/security-events.js';
import { problemOf } from '../http/problem.js';
import { AGENT } from '../broker-voice.contract.js';
import { RevokerModule } from '../revoker.module.js';
import { StandingAccessDesk } from '../survey/standing-access-desk.js';
import { World } from '../revoker-world.contract.js';
import { tokenPlan } from '../token-plan.contract.js';
import { OrderRequests } from './order-requests.js';

const NADIA = 'user:nadia@corp.example';
const OLGA = 'user:olga@corp.example';
const SERVICE = 'spiffe://dev.mayfly/operator/dev';

let world: World;
let app: NestExpressApplication;
let base: string;
let isPrivate = true;
beforeAll(async () => {
  world = await World.open('rvh');
  const revoker = await world.start();
  const { key } = await world.key();
  const metrics = new Metrics('revoker');
  const events = new SecurityEvents({
    ...{ db: world.db, trust: world.trust, key: { kid: 'k', key }, issuer: 'https://mayfly.example' },
    ...{ tokenIssuer: '', receivers: [], measures: createEventMeasures(metrics), log: world.log },
  });
  const orders = new OrderRequests({
    ...{ parts: world.parts, desk: revoker.orders, isPrivate: () => isPrivate },
  });
  const standing = new StandingAccessDesk({
    parts: world.parts,
    allowed: () => [],
    isPrivate: () => isPrivate,
  });
  const telemetry = { service: 'revoker', environment: 'development' as const, metrics, readiness: () => [] };
  app = await NestFactory.create<NestExpressApplication>(
    RevokerModule.forRoot({ revoker, lists: world.parts.lists, events, standing, orders }, telemetry),
    { logger: false, bodyParser: false },
  );
  app.useGlobalFilters(new ProblemFilter(() => undefined, problemOf));
  const server = await app.listen(0, '127.0.0.1');
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  await app.close();
  await world.close();
});
afterEach(() => {
  isPrivate = true;
});

interface Answer {
  status: number;
  json: Record<string, unknown>;
}
async function send(path: string, token: string | null, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(
    base + path,
    body === undefined ? { headers } : { method: 'POST', headers, body: text },
  );
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}
const revoke = async (body: unknown, person = NADIA) => send('/v1/revoke', await world.login(person), body);

let idx = 0;
async function lent(): Promise<Plan> {
  const taskId = uuidv7();
  const plan = tokenPlan(taskId, (idx += 1));
  await world.say(world.intended(taskId, plan));
  await world.say(world.issued(taskId, plan));
  await world.quiet();
  return plan;
}

it('an operator sees what is lent, cuts it, and sees it proven', async () => {
  const plan = await lent();
  const token = await world.login(NADIA);
  const { leaseId } = plan;
  const task = plan.token?.task ?? '';
  const orderId = uuidv7();

  expect((await send(`/v1/leases?task=${task}`, token)).json).toEqual({
    leases: [
      {
        ...{ leaseId, taskId: task, generation: 1, agent: AGENT, provider: 'jwt', target: 'orders-api' },
        ...{ principal: leaseId, rights: ['read'], state: 'live', issued: true, notAfter: plan.notAfter },
      },
    ],
  });
  const taken = await send('/v1/revoke', token, { lease: leaseId, reason: 'odd hours', orderId });
  await world.until(
    async () => (await send(`/v1/revocations/${orderId}`, token)).json['state'] === 'proven',
    'the proof',
  );

  expect(taken).toMatchObject({
    status: 202,
    json: { orderId, scope: 'lease', subject: leaseId, by: NADIA },
  });
  expect((await send(`/v1/leases?task=${task}`, token)).json).toEqual({ leases: [] });
  expect((await send(`/v1/leases?task=${task}&state=removed`, token)).json).toMatchObject({
    leases: [{ leaseId, state: 'removed', revocation: { cause: 'operator' } }],
  });
});

it('leases come page by page', async () => {
  const [first, second] = [await lent(), await lent()];
  const token = await world.login(NADIA);
  const page = await send(`/v1/leases?target=orders-api&agent=${AGENT}&limit=1`, token);
  const rest = await send(`/v1/leases?target=orders-api&after=${first.leaseId}`, token);

  expect(page.json).toMatchObject({ leases: [{ leaseId: first.leaseId }], next: first.leaseId });
  expect(rest.json).toMatchObject({ leases: [{ leaseId: second.leaseId }] });
});

it('an agent is revoked and reinstated', async () => {
  const agent = 'spiffe://dev.mayfly/agent/executor';
  const token = await world.login(NADIA);

  expect((await send('/v1/revoke', token, { agent, reason: 'seen elsewhere' })).status).toBe(202);
  expect(await send('/v1/reinstate', token, { agent, reason: 'a new key' })).toEqual({
    status: 200,
    json: { agent, agentGeneration: 1, changed: true },
  });
});

describe('nobody is believed', () => {
  it('without a token', async () => {
    expect(await send('/v1/revoke', null, { all: true, confirm: true, reason: 'x' })).toMatchObject({
      status: 401,
      json: { code: 'ERR_UNAUTHENTICATED' },
    });
  });

  it('with one that has expired', async () => {
    const stale = await world.login(NADIA, { nowMs: Date.now() - 600_000 });

    expect(await send('/v1/revoke', stale, { all: true, confirm: true, reason: 'x' })).toMatchObject({
      status: 401,
      json: { code: 'ERR_UNAUTHENTICATED', reason: 'ERR_SVID_EXPIRED' },
    });
  });

  it('with one of an issuer that is not trusted', async () => {
    const [head = '', claims = '', signature = ''] = (await world.login(NADIA)).split('.');
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    const other = Buffer.from(JSON.stringify({ ...said, iss: 'https://login.elsewhere.example' }));
    const token = [head, other.toString('base64url'), signature].join('.');

    expect(await send('/v1/revoke', token, { all: true, confirm: true, reason: 'x' })).toMatchObject({
      status: 401,
      json: { code: 'ERR_UNAUTHENTICATED', reason: 'ERR_SVID_UNTRUSTED' },
    });
  });

  it('over a way that others read', async () => {
    isPrivate = false;

    expect(await revoke({ all: true, confirm: true, reason: 'x' })).toMatchObject({
      status: 403,
      json: { code: 'ERR_TLS_REQUIRED' },
    });
  });
});

it('a person without the role orders nothing, and sees nothing', async () => {
  const plan = await lent();
  const token = await world.login(OLGA);

  expect(await revoke({ lease: plan.leaseId, reason: 'x' }, OLGA)).toMatchObject({
    status: 403,
    json: { code: 'ERR_NOT_ENTITLED' },
  });
  for (const path of ['/v1/leases', `/v1/revocations/${uuidv7()}`])
    expect(await send(path, token)).toMatchObject({ status: 403, json: { code: 'ERR_NOT_ENTITLED' } });
  expect(await world.stateOf(plan.leaseId)).toBe('known');
});

it('a service with the role sees, and orders nothing', async () => {
  const token = await world.svid(SERVICE);

  expect((await send('/v1/leases', await world.shortSvid(SERVICE))).status).toBe(200);
  expect(await send('/v1/leases', token)).toMatchObject({ json: { reason: 'ERR_SVID_INVALID' } });
  expect(
    await send('/v1/revoke', await world.shortSvid(SERVICE), { all: true, confirm: true, reason: 'x' }),
  ).toMatchObject({ status: 403, json: { code: 'ERR_NOT_ENTITLED' } });
});

it.each<[string, unknown, number, string]>([
  ['no reason', { all: true, confirm: true }, 422, 'ERR_PARAMETER_INVALID'],
  ['an empty reason', { all: true, confirm: true, reason: '  ' }, 422, 'ERR_PARAMETER_INVALID'],
  ['a reason of two lines', { task: uuidv7(), reason: 'a\nb' }, 422, 'ERR_PARAMETER_INVALID'],
  ['a reason that is too long', { task: uuidv7(), reason: 'x'.repeat(1_025) }, 422, 'ERR_PARAMETER_INVALID'],
  ['everything, unconfirmed', { all: true, reason: 'x' }, 422, 'ERR_CONFIRMATION_MISSING'],
  ['everything, and not', { all: true, confirm: false, reason: 'x' }, 422, 'ERR_CONFIRMATION_MISSING'],
  ['two things at once', { task: uuidv7(), agent: AGENT, reason: 'x' }, 422, 'ERR_PARAMETER_INVALID'],
  ['nothing', { reason: 'x' }, 422, 'ERR_PARAMETER_INVALID'],
  ['what is no id', { lease: 'all of them', reason: 'x' }, 422, 'ERR_PARAMETER_INVALID'],
  ['what is no JSON', '{', 400, 'ERR_BODY_INVALID'],
  ['too much', { task: uuidv7(), reason: 'x'.repeat(5_000) }, 413, 'ERR_BODY_TOO_LARGE'],
  ['a lease nobody heard of', { lease: uuidv7(), reason: 'x' }, 404, 'ERR_LEASE_UNKNOWN'],
  ['a task nobody heard of', { task: uuidv7(), reason: 'x' }, 404, 'ERR_TASK_UNKNOWN'],
])('is told of %s', async (_what, body, status, code) => {
  expect(await revoke(body)).toMatchObject({ status, json: { code } });
});

it('is told of an order, or a parameter, that is not there', async () => {
  const token = await world.login(NADIA);

  expect(await send(`/v1/revocations/${uuidv7()}`, token)).toMatchObject({
    ...{ status: 404, json: { code: 'ERR_ORDER_UNKNOWN' } },
  });
  expect((await send('/v1/revocations/%00', token)).json['code']).toBe('ERR_ORDER_UNKNOWN');
  expect((await send('/v1/leases?owner=me', token)).json['code']).toBe('ERR_PARAMETER_INVALID');
  expect((await send('/v1/leases?limit=1000', token)).json['code']).toBe('ERR_PARAMETER_INVALID');
});

it('is told of too many orders of one person', async () => {
  const token = await world.login('user:pavel@corp.example');
  const codes: unknown[] = [];
  for (let n = 0; n < 61; n += 1)
    codes.push((await send('/v1/revoke', token, { task: uuidv7(), reason: 'x' })).json['code']);

  expect(codes.slice(0, 60).every((code) => code === 'ERR_NOT_ENTITLED')).toBe(true);
  expect(codes.at(-1)).toBe('ERR_RATE_LIMITED');
});
