import { createLog } from '#telemetry/log.js';
import { clashesOf, openProviders } from './open-providers.js';
import { targetSettings } from './target-settings.js';

const log = createLog('spec', { level: 'silent' });
const means = { maxClockSkewMs: 2_000 };
const target = (id: string, namespace: string) =>
  targetSettings.parse({
    id,
    provider: 'postgres',
    maxTtlMs: 300_000,
    connection: { host: '127.0.0.1', port: 1, database: 'shop', tls: { mode: 'disable' } },
    login: { user: 'x', password: 'x' },
    namespace,
  });

const ORDERS = 'https://orders.example';
const service = (id: string, audience: string) =>
  targetSettings.parse({ id, provider: 'jwt', maxTtlMs: 300_000, audience });

it('opens one adapter for each target and connects to none', async () => {
  const providers = await openProviders([target('shop', 'dev'), target('till', 'til')], log, means);
  expect([...providers.keys()]).toEqual(['shop', 'till']);
  expect(providers.get('shop')).toMatchObject({ kind: 'postgres', fencing: 'fenced' });
  for (const provider of providers.values()) await provider.close();
});

const cache = (id: string, ...ports: number[]) =>
  targetSettings.parse({
    ...{ id, provider: 'redis', maxTtlMs: 300_000, tls: { mode: 'disable' }, namespace: 'dev' },
    ...{ nodes: ports.map((port) => ({ host: '127.0.0.1', port })), login: { user: 'x', password: 'x' } },
  });

it('refuses two targets with one id', async () => {
  const opening = openProviders([target('shop', 'dev'), target('shop', 'til')], log, means);
  await expect(opening).rejects.toThrow('`shop`');
});

it('opens targets that would share their principals, so that they are cut, and names each of them', async () => {
  const targets = [target('shop', 'dev'), target('till', 'dev'), target('desk', 'dsk')];
  const providers = await openProviders(targets, log, means);
  expect([...providers.keys()]).toEqual(['shop', 'till', 'desk']);
  for (const provider of providers.values()) await provider.close();

  expect([...clashesOf(targets)]).toMatchObject([
    ['shop', { code: 'ERR_TARGET_NAME_TAKEN', what: expect.stringContaining('till') as unknown }],
    ['till', { code: 'ERR_TARGET_NAME_TAKEN', what: expect.stringContaining('shop') as unknown }],
  ]);
});

it('names targets that have one server of theirs in common', () => {
  const nodes = [cache('cache', 1, 2), cache('more', 3, 2), cache('other', 4)];
  expect([...clashesOf(nodes).keys()]).toEqual(['cache', 'more']);
});

it('names services whose tokens would be good for each other', () => {
  const services = [service('orders', ORDERS), service('more', ORDERS), service('mail', 'https://m.example')];
  expect([...clashesOf(services).keys()]).toEqual(['orders', 'more']);
});

it('refuses a service whose tokens would be good at the broker itself', async () => {
  const signer = { issuer: ORDERS, sign: () => null };
  const opening = openProviders([service('orders', ORDERS)], log, { ...means, signer });
  await expect(opening).rejects.toThrow('`orders`');
});
