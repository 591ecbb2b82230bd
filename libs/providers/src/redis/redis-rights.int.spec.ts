/** Rights exactly as planned: for each, something that it permits and something beside it that it does not. */
import { describeRedis, type RedisClient } from './redis-servers.contract.js';
import { openRedisWorld, type RedisWorld } from './redis-world.contract.js';

describeRedis('rights at Redis', () => {
  let world: RedisWorld;
  beforeAll(async () => {
    world = await openRedisWorld('rpp');
    const admin = await world.admin();
    for (const key of ['{shop}/a#1@x=y+z', 'caches:7', 'log:1'])
      await admin.sendCommand(['SET', `spec:rpp:${key}`, '1']);
  });
  afterAll(() => world.close());

  const K = 'spec:rpp:';
  const lent = async (...rights: string[]): Promise<RedisClient> =>
    world.client(await world.created(world.plan({ rights })));
  type Row = [right: string, permitted: string[], refused: string[]];
  const rows: Row[] = [
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['GET', `${K}salaries:1`]],
    [`~${K}orders:* +@read`, ['STRLEN', `${K}orders:1`], ['SET', `${K}orders:1`, 'x']],
    [`~${K}orders:* +get`, ['GET', `${K}orders:1`], ['STRLEN', `${K}orders:1`]],
    [`~${K}orders:1 +get`, ['GET', `${K}orders:1`], ['GET', `${K}orders:12`]],
    [`~${K}orders:[12] +get`, ['GET', `${K}orders:2`], ['GET', `${K}orders:3`]],
    [`~${K}orders:? +get`, ['GET', `${K}orders:2`], ['GET', `${K}orders:22`]],
    [`~${K}{shop}/a#1@x=y+z +get`, ['GET', `${K}{shop}/a#1@x=y+z`], ['GET', `${K}{shop}/a#1@x=y`]],
    [`%R~${K}orders:* +@read +@write`, ['GET', `${K}orders:1`], ['APPEND', `${K}orders:1`, 'x']],
    [`%W~${K}inbox:* +@read +@write`, ['SET', `${K}inbox:1`, 'x'], ['GET', `${K}inbox:1`]],
    [`~${K}caches:* +@read +@write -del`, ['GET', `${K}caches:7`], ['DEL', `${K}caches:7`]],
    [`~${K}orders:* +@read +@write`, ['EXISTS', `${K}orders:1`], ['COPY', `${K}orders:1`, `${K}stolen`]],
    [`~${K}orders:* +@read`, ['MGET', `${K}orders:1`], ['MGET', `${K}orders:1`, `${K}salaries:1`]],
    // What shows the names of other keys and channels is in no category, and can be named.
    [`~${K}orders:* +@read +@keyspace`, ['TTL', `${K}orders:1`], ['SCAN', '0']],
    [`~${K}orders:* +@read +@keyspace`, ['TTL', `${K}orders:1`], ['RANDOMKEY']],
    [`~${K}orders:* +@read +@keyspace`, ['TTL', `${K}orders:1`], ['DBSIZE']],
    [`~${K}orders:* +@read +@keyspace`, ['TTL', `${K}orders:1`], ['KEYS', '*']],
    [`~${K}orders:* +get +scan`, ['SCAN', '0'], ['DBSIZE']],
    [`~${K}orders:* +@read +@keyspace +@write`, ['GET', `${K}orders:1`], ['FLUSHALL']],
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['SORT', `${K}orders:1`]],
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['SELECT', '1']],
    [`~${K}orders:* +@read`, ['PING'], ['CLIENT', 'LIST']],
    [`~${K}orders:* +@read`, ['CLIENT', 'SETNAME', 'agent'], ['ACL', 'WHOAMI']],
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['EVAL', 'return 1', '0']],
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['CLIENT', 'TRACKING', 'ON', 'BCAST']],
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['CONFIG', 'GET', '*']],
    [`&${K}news:* +publish`, ['PUBLISH', `${K}news:1`, 'x'], ['PUBLISH', `${K}other`, 'x']],
    [`&${K}news:* +@pubsub`, ['PUBLISH', `${K}news:1`, 'x'], ['PUBSUB', 'CHANNELS']],
    [`&${K}news:* +@pubsub`, ['PUBLISH', `${K}news:1`, 'x'], ['PSUBSCRIBE', '*']],
    [`~${K}orders:* +@read`, ['GET', `${K}orders:1`], ['PUBLISH', `${K}news:1`, 'x']],
  ];

  it.each(rows)('%s permits %j and not %j', async (right, permitted, refused) => {
    const session = await lent(right);
    await expect(session.sendCommand(permitted)).resolves.toBeDefined();
    await expect(session.sendCommand(refused)).rejects.toThrow(/NOPERM|permissions/);
  });

  it('of two lines do not add up to a third', async () => {
    const session = await lent(`~${K}orders:* +@read`, `~${K}log:* +set`);
    await expect(session.sendCommand(['GET', `${K}orders:1`])).resolves.toBe('lamp');
    await expect(session.sendCommand(['SET', `${K}log:1`, 'x'])).resolves.toBe('OK');
    await expect(session.sendCommand(['GET', `${K}log:1`])).rejects.toThrow('NOPERM');
    await expect(session.sendCommand(['SET', `${K}orders:1`, 'x'])).rejects.toThrow('NOPERM');
  });

  it('are the same on a replica', async () => {
    const node = world.nodes.length - 1;
    const credential = await world.created(world.plan());
    const session = await world.client(credential, node);
    await expect(session.sendCommand(['GET', `${K}orders:1`])).resolves.toBe('lamp');
    await expect(session.sendCommand(['GET', `${K}salaries:1`])).rejects.toThrow('NOPERM');
  });
});
