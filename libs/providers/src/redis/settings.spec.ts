import { inspect } from 'node:util';
import { redisSettings } from './settings.js';

const written = {
  id: 'cache',
  provider: 'redis',
  maxTtlMs: '300000',
  nodes: [{ host: 'redis-1.example', port: '6380' }, { host: 'redis-2.example' }],
  login: { user: 'mayfly-broker', password: 'hunter2' },
  namespace: 'shp',
};

it('takes numbers as text, verifies TLS unless told otherwise and hides the password', () => {
  const settings = redisSettings.parse(written);
  expect(settings).toMatchObject({
    maxTtlMs: 300_000,
    nodes: [
      { host: 'redis-1.example', port: 6_380 },
      { host: 'redis-2.example', port: 6_379 },
    ],
    tls: { mode: 'verify-full' },
    aclFile: 'none',
  });
  expect(settings.login.password.reveal()).toBe('hunter2');
  expect(inspect(settings, { depth: null }) + JSON.stringify(settings)).not.toContain('hunter2');
});

it.each([
  ['no nodes', { nodes: [] }],
  ['a node twice', { nodes: [{ host: 'a' }, { host: 'a', port: 6_379 }] }],
  ['TLS disabled across a network', { tls: { mode: 'disable' } }],
  [
    'TLS disabled, with one node elsewhere',
    { nodes: [{ host: '127.0.0.1' }, { host: 'redis-2.example' }], tls: { mode: 'disable' } },
  ],
  ['TLS without verification', { tls: { mode: 'require' } }],
  ['an unknown key', { sentinels: [] }],
  ['a file of users that is something else', { aclFile: 'saved' }],
  ['a namespace of four', { namespace: 'prod' }],
  ['no password', { login: { user: 'x', password: '' } }],
  ['a user with a space', { login: { user: 'x y', password: 'x' } }],
])('refuses %s', (_what, change) =>
  expect(redisSettings.safeParse({ ...written, ...change }).success).toBe(false),
);
