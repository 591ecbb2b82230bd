import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedis, redisConf } from './redis.mjs';

const options = { dir: '/var/lib/r', port: 7_000, adminPassword: 'secret' };

it('listens on loopback only, and keeps nothing', () => {
  const conf = redisConf(options);
  expect(conf).toMatch(/^bind 127\.0\.0\.1$/m);
  expect(conf).toMatch(/^save ""$/m);
  expect(conf).not.toContain('replicaof');
});
it('follows a primary with the same password', () =>
  expect(redisConf({ ...options, replicaOf: { host: '127.0.0.1', port: 7_001 } })).toMatch(
    /^replicaof 127\.0\.0\.1 7001\nmasteruser default\nmasterauth secret$/m,
  ));
it('lets a caller set more, also several times', () =>
  expect(redisConf({ ...options, settings: { user: ['a on', 'b on'], port: 0 } })).toMatch(
    /^port 0\n(.*\n)*user a on\nuser b on$/m,
  ));
it('is found on the PATH', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-redis-'));
  const program = join(folder, 'redis-server');
  await writeFile(program, '#!/bin/sh\n');
  await chmod(program, 0o755);
  expect(findRedis({ PATH: `:${folder}` })).toBe(program);
  await rm(folder, { recursive: true });
});
