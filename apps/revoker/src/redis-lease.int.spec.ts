/** Leases at Redis: cut on every node, seen to be, and not proven while a node does not answer. */
import { v7 as uuidv7 } from 'uuid';
import type { Plan } from '#providers/provider.js';
import { describeOwnRedis } from '#providers/redis/redis-servers.contract.js';
import { openRedisWorld, type RedisWorld } from '#providers/redis/redis-world.contract.js';
import { World } from './revoker-world.contract.js';

describeOwnRedis('a lease at Redis', () => {
  let world: World;
  let redis: RedisWorld;
  beforeAll(async () => {
    [world, redis] = await Promise.all([World.open('rvd'), openRedisWorld('rvd')]);
  });
  afterAll(() => Promise.all([world.close(), redis.close()]));
  beforeEach(() => world.start(redis.revoker));
  afterEach(() => world.stop());

  /** As the broker leaves it. */
  async function issuedIn(taskId: string): Promise<Plan> {
    const plan = redis.plan();
    await world.say(world.intended(taskId, plan));
    return plan;
  }

  it('is cut on every node when its task ends, and its connections with it', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const plan = await issuedIn(taskId);
    const credential = await redis.created(plan);
    await world.say(world.issued(taskId, plan));
    const sessions = await Promise.all([0, 1].map((node) => redis.client(credential, node)));
    const dead = Promise.all(
      sessions.map((session) => new Promise((resolve) => session.once('error', resolve))),
    );

    await world.endTask(taskId);

    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({
      cause: 'task_ended',
      evidence: { state: 'disabled', sessionsEnded: 2, observations: 2, nodes: { seen: 2, expected: 2 } },
    });
    await dead;
    await world.hears(plan.leaseId, 'lease.removed');
    expect((await redis.revoker.observe(plan)).state).toBe('absent');
  });

  it('that was never made is fenced, so that it never is', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const plan = await issuedIn(taskId);
    await world.endTask(taskId);

    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({
      evidence: { state: 'absent' },
    });
    expect(await redis.broker.create(plan)).toEqual({ answer: 'refused', code: 'ERR_LEASE_FENCED' });
  });

  it('is not proven cut while one node does not answer, and is once it does', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const plan = await issuedIn(taskId);
    await redis.created(plan);
    await world.say(world.issued(taskId, plan));
    redis.servers.running[1]?.child.kill('SIGSTOP');

    await world.endTask(taskId);

    // After three tries, each of which waits for the node.
    const unproven = await world.hears(plan.leaseId, 'lease.revocation_unproven', 90_000);
    expect(unproven).toMatchObject({ code: 'ERR_TARGET_NOT_OBSERVED', cause: 'task_ended' });
    redis.servers.running[1]?.child.kill('SIGCONT');
    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({
      evidence: { nodes: { seen: 2, expected: 2 } },
    });
    await world.hears(plan.leaseId, 'lease.removed');
  }, 180_000);
});
