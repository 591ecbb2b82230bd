import { configIn, isOldEnough, lifeIn, unfitness } from './life.js';
import { redisSettings } from './settings.js';

const settings = (aclFile: string) =>
  redisSettings.parse({
    ...{ id: 'cache', provider: 'redis', maxTtlMs: 300_000, namespace: 'shp', aclFile },
    ...{ nodes: [{ host: '127.0.0.1' }], tls: { mode: 'disable' }, login: { user: 'x', password: 'x' } },
  });
const INFO = '# Server\r\nredis_version:8.0.2\r\nrun_id:abc\r\nuptime_in_seconds:5\r\n';
const life = lifeIn(INFO, 100_000);
const config = (aclfile: string, channels = 'resetchannels') =>
  configIn(['aclfile', aclfile, 'acl-pubsub-default', channels]);

it('began no later than its server says', () =>
  expect(life).toEqual({ runId: 'abc', version: '8.0.2', beganAtMs: 95_000, hasSetInfo: true }));

it('is older than what is lent in it, by more than clocks differ', () => {
  expect(isOldEnough(life, 96_999)).toBe(false);
  expect(isOldEnough(life, 97_000)).toBe(true);
});

it.each(['', 'OK', undefined, 'run_id:x\nredis_version:8.0.0'])(
  'is of no server that does not say who it is: %j',
  (reply) => expect(() => lifeIn(reply, 0)).toThrow('server does not say who it is'),
);

it.each([
  ['7.2.4', config(''), 'none', null],
  ['7.0.15', config(''), 'none', null],
  ['6.2.14', config(''), 'none', 'server is older than Redis 7'],
  ['10.0.0', config(''), 'none', null],
  ['8.0.2', config('/etc/users.acl'), 'none', 'server keeps its users in a file'],
  ['8.0.2', config('/etc/users.acl'), 'static', null],
  ['8.0.2', config('', 'allchannels'), 'none', 'acl-pubsub-default is not resetchannels'],
  ['8.0.2', configIn(undefined), 'static', 'server does not tell its settings'],
])('of version %s, with %j and files of users %s: %s', (version, seen, aclFile, reason) =>
  expect(unfitness({ ...life, version }, seen, settings(aclFile))).toBe(reason),
);
