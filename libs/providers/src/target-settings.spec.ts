import { inspect } from 'node:util';
import { isSameTarget, targetSettings } from './target-settings.js';

const written = {
  id: 'shop',
  provider: 'postgres',
  maxTtlMs: '300000',
  connection: { host: 'db.example', port: '5432', database: 'shop' },
  login: { user: 'mayfly_broker', password: 'hunter2' },
  namespace: 'dev',
};

it('takes numbers as text, verifies TLS unless told otherwise and hides the password', () => {
  const settings = targetSettings.parse(written);
  expect(settings).toMatchObject({
    maxTtlMs: 300_000,
    connection: { port: 5432, tls: { mode: 'verify-full' } },
    issuerRole: 'mayfly_issuer',
    issuerShards: 1,
  });
  expect(settings.provider === 'postgres' && settings.login.password.reveal()).toBe('hunter2');
  expect(inspect(settings, { depth: null }) + JSON.stringify(settings)).not.toContain('hunter2');
});

it.each(['', null, undefined])('takes %p for a CA that is not there', (ca) => {
  const connection = { ...written.connection, host: '127.0.0.1', tls: { mode: 'disable', ca } };
  expect(targetSettings.parse({ ...written, connection })).toHaveProperty('connection.tls', {
    mode: 'disable',
  });
  connection.tls.mode = 'verify-full';
  expect(targetSettings.parse({ ...written, connection })).toHaveProperty('connection.tls', {
    mode: 'verify-full',
  });
});

it('takes a service that takes tokens, by its URI', () => {
  const service = {
    id: 'orders-api',
    provider: 'jwt',
    maxTtlMs: '300000',
    audience: 'http://127.0.0.1:7080',
  };
  expect(targetSettings.parse(service)).toEqual({ ...service, maxTtlMs: 300_000 });
  for (const audience of ['orders', 'https://orders.example/?a=b', 'https://orders.example/#x', '', 'mayfly'])
    expect(targetSettings.safeParse({ ...service, audience }).success).toBe(false);
  expect(targetSettings.safeParse({ ...service, login: { user: 'x', password: 'x' } }).success).toBe(false);
  expect(targetSettings.safeParse({ ...service, provider: 'saml' }).success).toBe(false);
});

it.each([
  [
    'TLS disabled across a network',
    { ...written, connection: { ...written.connection, tls: { mode: 'disable' } } },
  ],
  ['an unknown key', { ...written, passwrod: 'x' }],
  ['a namespace of four', { ...written, namespace: 'prod' }],
  ['no issuer', { ...written, issuerShards: 0 }],
  ['more issuers than there are', { ...written, issuerShards: 65 }],
  ['an empty port', { ...written, connection: { ...written.connection, port: '' } }],
  [
    'a CA that is a path',
    { ...written, connection: { ...written.connection, tls: { mode: 'verify-full', ca: '/ca.pem' } } },
  ],
  [
    'TLS without verification',
    { ...written, connection: { ...written.connection, tls: { mode: 'require' } } },
  ],
  ['no password', { ...written, login: { user: 'x', password: '' } }],
])('refuses %s', (_what, settings) => {
  expect(targetSettings.safeParse(settings).success).toBe(false);
});

it('is another target where the password of an account at Redis is another', () => {
  const cache = (password: string) =>
    targetSettings.parse({
      ...{ id: 'cache', provider: 'redis', maxTtlMs: 300_000, namespace: 'dev' },
      ...{ nodes: [{ host: 'redis.example' }], login: { user: 'mayfly-broker', password } },
    });
  expect(isSameTarget(cache('hunter2'), cache('hunter2'))).toBe(true);
  expect(isSameTarget(cache('hunter2'), cache('hunter3'))).toBe(false);
});

it.each([
  ['nothing', written, true],
  ['the same written otherwise', { ...written, maxTtlMs: 300_000 }, true],
  ['the password', { ...written, login: { ...written.login, password: 'hunter3' } }, false],
  ['the place', { ...written, connection: { ...written.connection, port: '5433' } }, false],
  ['the longest lease', { ...written, maxTtlMs: '200000' }, false],
  ['the name', { ...written, id: 'store' }, false],
  ['the kind', { id: 'shop', provider: 'jwt', maxTtlMs: 300_000, audience: 'https://shop.example' }, false],
])('is the same target or another, where what is different is %s', (_what, other, same) => {
  expect(isSameTarget(targetSettings.parse(written), targetSettings.parse(other))).toBe(same);
});
