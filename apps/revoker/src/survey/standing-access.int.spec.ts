/** Standing access, from an account at a real target to what is told and shown of it. */
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { AllowedAccess } from '#events/standing-access.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import type { CredentialProvider } from '#providers/provider.js';
import { ProblemFilter } from '#service/problem.js';
import { problemOf } from '../http/problem.js';
import { OPERATOR, World } from '../revoker-world.contract.js';
import { StandingAccessController } from './standing-access.controller.js';
import { StandingAccessDesk } from './standing-access-desk.js';
import type { TargetWatch } from './target-watch.js';
import { changed, swept, told, watching, type WatchOptions } from './watched-target.contract.js';

let world: World;
let admin: pg.Client;
let watch: TargetWatch | undefined;
let desk: StandingAccessDesk;
let allowed: readonly AllowedAccess[];
let bot: string;
beforeAll(async () => {
  world = await World.open('std');
  admin = await world.target.superuser();
});
afterAll(() => world.close());
beforeEach(() => {
  allowed = [];
  bot = `std_${uuidv7().slice(-12)}`;
});
afterEach(async () => {
  await watch?.stop();
  await world.stop();
  const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [bot]);
  if (rowCount === 1) await admin.query(`DROP OWNED BY ${bot}; DROP ROLE ${bot}`);
});

async function begin(options: WatchOptions = {}): Promise<void> {
  watch = await watching(world, { allowed: () => allowed, ...options });
  const { db, trust } = world;
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  const tokens = { kind: 'jwt' } as CredentialProvider;
  const providers = new Map([
    ['shop', options.provider ?? world.target.revoker],
    ['orders-api', tokens],
  ]);
  const parts = { db, trust, catalogue, providers };
  desk = new StandingAccessDesk({ parts, allowed: () => allowed, isPrivate: () => true });
}
async function account(): Promise<void> {
  await admin.query(`CREATE ROLE ${bot} LOGIN; GRANT CONNECT ON DATABASE shop_providers TO ${bot};
    GRANT USAGE ON SCHEMA crm TO ${bot}; GRANT SELECT ON crm.orders TO ${bot}`);
}
const found = () => told(world, 'standing_access.found').filter(({ principal }) => principal === bot);
const gone = () => told(world, 'standing_access.gone').filter(({ principal }) => principal === bot);
const surveyed = () => swept(world, 'surveyed_at');
const shown = async () => (await desk.view(Date.now())).standing.find(({ principal }) => principal === bot);

it('finds the two old accounts of the sample', async () => {
  await begin();
  await surveyed();

  const accounts = new Map(told(world, 'standing_access.found').map((data) => [data.principal, data]));
  expect(accounts.get('report_bot')).toMatchObject({
    ...{ target: 'shop', provider: 'postgres', neverExpires: true, ways: ['grant'] },
    reaches: [{ dataset: 'crm.orders', actions: ['read'] }],
  });
  expect(accounts.get('legacy_etl')).toMatchObject({
    reaches: [
      { dataset: 'crm.customers', actions: ['read'] },
      { dataset: 'crm.orders', actions: ['read', 'write'] },
      { dataset: 'hr.salaries', actions: ['read'] },
    ],
  });
  for (const ours of ['mayfly_broker', 'mayfly_revoker']) expect(accounts.has(ours)).toBe(false);
});

it('tells of an account once, for as long as it is there, and once that it is gone', async () => {
  await account();
  await begin();
  await world.until(() => found().length === 1, 'the account');
  await surveyed();
  expect(found()).toHaveLength(1);
  expect(await shown()).toMatchObject({
    reaches: [{ dataset: 'crm.orders', actions: ['read'] }],
    allowed: null,
  });

  await admin.query(`REVOKE SELECT ON crm.orders FROM ${bot}`);
  await world.until(() => gone().length === 1, 'the end');
  await surveyed();
  expect([found().length, gone().length]).toEqual([1, 1]);
  expect(gone()[0]).toMatchObject({ why: 'no_access' });
  expect(await shown()).toBeUndefined();
});

it('does not tell what was told before, after a start', async () => {
  await account();
  await begin();
  await world.until(() => found().length === 1, 'the account');
  await watch?.stop();
  await world.stop();

  await begin();
  await surveyed();

  expect(found()).toHaveLength(1);
});

it('lets an account be that operators let be, until the day of its review', async () => {
  const entry = { target: 'shop', principal: bot, reason: 'the nightly report', review: '2999-12-31' };
  allowed = [entry];
  await account();
  await begin();
  await surveyed();
  expect(found()).toEqual([]);
  expect(await shown()).toMatchObject({
    allowed: { reason: 'the nightly report', review: '2999-12-31', overdue: false },
  });

  allowed = [{ ...entry, review: '2026-01-31' }];
  await world.until(() => found().length === 1, 'the account');
  expect(await shown()).toMatchObject({ allowed: { overdue: true } });

  allowed = [entry];
  await world.until(() => gone().length === 1, 'the account to be allowed');
  expect(gone()[0]).toMatchObject({ why: 'allowed', reason: 'the nightly report', review: '2999-12-31' });
});

it('looks again as soon as operators let another one be', async () => {
  await account();
  await begin({ settings: { surveyEveryMs: 3_600_000 } });
  await world.until(() => found().length === 1, 'the account');

  allowed = [{ target: 'shop', principal: bot, reason: 'known', review: '2999-12-31' }];

  await world.until(() => gone().length === 1, 'the account to be allowed');
});

it('takes nothing back where it could not look, and says that it could not', async () => {
  await account();
  await begin();
  await world.until(() => found().length === 1, 'the account');
  await watch?.stop();
  await world.stop();

  const broken = changed(world.target.revoker, {
    // eslint-disable-next-line require-yield, @typescript-eslint/require-await -- it fails before there is anything
    standingAccess: async function* () {
      throw new Error('half of it');
    },
  });
  await begin({ provider: broken });
  await world.until(
    async () =>
      (await desk.view(Date.now())).targets.find(({ target }) => target === 'shop')?.failed !== null,
    'the failure',
  );

  expect(gone()).toEqual([]);
  expect(await shown()).toBeDefined();
  const { targets } = await desk.view(Date.now());
  expect(targets).toEqual([
    expect.objectContaining({ target: 'shop', canBeSurveyed: true, failed: 'ERR_TARGET_REFUSED' }),
    expect.objectContaining({ target: 'orders-api', canBeSurveyed: false, surveyedAt: null, failed: null }),
  ]);
});

it('is shown over HTTP to those who may see it', async () => {
  await account();
  await begin();
  await world.until(() => found().length === 1, 'the account');
  const room = { provide: StandingAccessDesk, useValue: desk };
  const app = await NestFactory.create<NestExpressApplication>(
    { module: class Room {}, controllers: [StandingAccessController], providers: [room] },
    { logger: false, bodyParser: false },
  );
  app.useGlobalFilters(new ProblemFilter(() => undefined, problemOf));
  const server = await app.listen(0, '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  const ask = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}/v1/standing-access`, { headers });

  const [nobody, operator] = [
    await ask({}),
    await ask({ authorization: `Bearer ${await world.svid(OPERATOR, 'mayfly', 300)}` }),
  ];

  expect(nobody.status).toBe(401);
  expect(await nobody.json()).toMatchObject({ code: 'ERR_UNAUTHENTICATED' });
  expect(operator.status).toBe(200);
  const { standing } = (await operator.json()) as { standing: { principal: string; remedy: string[] }[] };
  expect(standing.find(({ principal }) => principal === bot)?.remedy[0]).toBe(
    `REVOKE SELECT ON TABLE "crm"."orders" FROM "${bot}";`,
  );
  await app.close();
});
