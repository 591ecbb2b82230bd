/** Status lists as they are served, over HTTP and from the leases that the revoker knows. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { jwtVerify } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { loadCatalogue } from '#policy/load-catalogue.js';
import type { Plan } from '#providers/provider.js';
import { ProblemFilter } from '#service/problem.js';
import { Metrics } from '#telemetry/metrics.js';
import { readStatusList, type Status } from '#tokens/status-list.js';
import { createEventMeasures } from '../caep/measures.js';
import { SecurityEvents } from '../caep/security-events.js';
import { problemOf } from '../http/problem.js';
import { OrderRequests } from '../orders/order-requests.js';
import { RevokerModule } from '../revoker.module.js';
import { StandingAccessDesk } from '../survey/standing-access-desk.js';
import { World } from '../revoker-world.contract.js';
import { LISTS, tokenPlan } from '../token-plan.contract.js';
import { StatusLists } from './status-lists.js';

let world: World;
let app: NestExpressApplication;
let base: string;
let publicKey: KeyObject;
beforeAll(async () => {
  world = await World.open('rvl');
  const revoker = await world.start();
  const { jwk, key } = await world.key();
  publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  if (world.lists === undefined) throw new Error('the revoker is not started');
  const metrics = new Metrics('revoker');
  const events = new SecurityEvents({
    ...{ db: world.db, trust: world.trust, key: { kid: 'k', key }, issuer: 'https://mayfly.example' },
    ...{ tokenIssuer: '', receivers: [], measures: createEventMeasures(metrics), log: world.log },
  });
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  const standing = new StandingAccessDesk({
    parts: { db: world.db, trust: world.trust, catalogue, providers: new Map() },
    ...{ allowed: () => [], isPrivate: () => true },
  });
  const orders = new OrderRequests({ parts: world.parts, desk: revoker.orders, isPrivate: () => true });
  const telemetry = { service: 'revoker', environment: 'development' as const, metrics, readiness: () => [] };
  app = await NestFactory.create<NestExpressApplication>(
    RevokerModule.forRoot({ revoker, lists: world.lists, events, standing, orders }, telemetry),
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

let idx = 100;
async function issuedIn(taskId: string, change: Partial<Plan> = {}, list = 0): Promise<Plan> {
  const plan = tokenPlan(taskId, (idx += 1), change, list);
  await world.say(world.intended(taskId, plan));
  await world.say(world.issued(taskId, plan));
  await world.quiet();
  return plan;
}

async function statusOf(plan: Plan): Promise<Status | undefined> {
  const { uri, idx: index } = plan.token?.status ?? { uri: '', idx: -1 };
  const token = await (await fetch(base + new URL(uri).pathname)).text();
  const reading = readStatusList(token, { uri, keyOf: () => publicKey, nowMs: Date.now() });
  if (!reading.ok) throw new Error(reading.refusal.code);
  return reading.list.get(index);
}

it('says VALID of a token that lives, and INVALID at once when its task has ended, and of no other', async () => {
  const [taskId, other] = [uuidv7(), uuidv7()];
  await world.startTask(taskId);
  const [plan, living] = [await issuedIn(taskId), await issuedIn(other)];
  expect(await statusOf(plan)).toBe('VALID');

  await world.endTask(taskId);
  await world.hears(plan.leaseId, 'lease.access_cut');
  // Well before the former copy is too old.
  await world.until(async () => (await statusOf(plan)) === 'INVALID', 'the next copy');

  expect(await statusOf(living)).toBe('VALID');
  // Nothing more changes in the list.
  await world.hears(plan.leaseId, 'lease.removed');
});

it('is a signed list as others read it, for a short time, with its own name', async () => {
  await issuedIn(uuidv7());
  const response = await fetch(`${base}/status/0`, { headers: { accept: 'application/statuslist+jwt' } });

  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/statuslist+jwt');
  expect(response.headers.get('cache-control')).toBe('public, max-age=40');
  const { payload } = await jwtVerify(await response.text(), publicKey, { typ: 'statuslist+jwt' });
  expect(payload).toMatchObject({ sub: `${LISTS}/0`, ttl: 40, status_list: { bits: 2 } });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
});

it('is the same copy for everybody who asks, and not sent to those who have it', async () => {
  await issuedIn(uuidv7());
  const first = await fetch(`${base}/status/0`);
  const etag = first.headers.get('etag') ?? '';
  await first.text();

  const again = await fetch(`${base}/status/0`, { headers: { 'if-none-match': etag } });

  expect(etag).toMatch(/^"[\w-]{22}"$/);
  expect(again.status).toBe(304);
});

it('forgets a list once every token in it is over', async () => {
  const lists = new StatusLists({
    ...{ db: world.db, key: await world.key(), lists: LISTS, ttlMs: 100, validMs: 60_000 },
  });
  const plan = await issuedIn(uuidv7(), {}, 7);
  expect(await lists.serve('7')).not.toBeNull();

  await world.db.pool.query(`UPDATE lease SET not_after = now() - interval '61 s' WHERE lease_id = $1`, [
    plan.leaseId,
  ]);

  await world.until(async () => (await lists.serve('7')) === null, 'the list to go');
});

it.each([
  ['a list that no token is in', '/status/99', {}, 404, 'ERR_STATUS_LIST_NOT_FOUND'],
  ['a list that is no number', '/status/0%2f..', {}, 404, 'ERR_STATUS_LIST_NOT_FOUND'],
  ['another form', '/status/0', { accept: 'application/statuslist+cwt' }, 406, 'ERR_NOT_ACCEPTABLE'],
  ['another path', '/status', {}, 404, 'ERR_NOT_FOUND'],
])('refuses %s', async (_what, path, headers, status, code) => {
  const response = await fetch(base + path, { headers });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ code, status });
});

it('tells receivers of security events where it signs', async () => {
  const answer = await fetch(`${base}/.well-known/ssf-configuration`);
  expect(await answer.json()).toMatchObject({
    issuer: 'https://mayfly.example',
    jwks_uri: 'https://mayfly.example/.well-known/jwks.json',
    delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
  });
});
