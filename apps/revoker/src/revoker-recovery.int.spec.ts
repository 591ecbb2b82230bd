import { createHash, randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { REVOCATIONS } from '#events/topics.js';
import { ProviderError, type CredentialProvider, type Plan } from '#providers/provider.js';
import { brokers, inMs } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvr');
});
afterAll(() => world.close());
afterEach(() => world.stop());

/** A live credential of a started task, as the broker leaves it. */
async function live(taskId: string, change: Partial<Plan> = {}, parents: string[] = []): Promise<Plan> {
  const plan = world.target.plan(change);
  // Before it is heard of: what is due at once may be fenced before it is made.
  await world.target.created(plan);
  await world.say(world.intended(taskId, plan, parents));
  await world.say(world.issued(taskId, plan));
  return plan;
}

const observed = (plan: Plan) => world.target.revoker.observe(plan).then((seen) => seen.state);

/** A target that does not answer while it is down. */
function switchable(provider: CredentialProvider): CredentialProvider & { down: boolean } {
  const guard =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (switched.down) throw new ProviderError('ERR_TARGET_UNREACHABLE', 'the target is down');
      return work(...args);
    };
  const switched = {
    kind: provider.kind,
    fencing: provider.fencing,
    capabilities: provider.capabilities,
    down: true,
    principal: (leaseId: string) => provider.principal(leaseId),
    create: (plan: Plan) => provider.create(plan),
    renew: (plan: Plan, notAfter: string) => provider.renew(plan, notAfter),
    cut: guard((plan: Plan) => provider.cut(plan)),
    observe: (plan: Plan) => provider.observe(plan),
    clean: guard((plan: Plan) => provider.clean(plan)),
    list: () => provider.list(),
    close: () => provider.close(),
  };
  return switched;
}

describe('rule 10: reading never waits for a target', () => {
  it('reads on while a target is down, says that nothing is proven, and cuts when it is back', async () => {
    const target = switchable(world.target.revoker);
    await world.start(target);
    const taskId = uuidv7();
    await world.startTask(taskId);
    const plan = await live(taskId);
    await world.quiet();
    await world.endTask(taskId);
    const unproven = await world.hears(plan.leaseId, 'lease.revocation_unproven');
    expect(unproven).toMatchObject({
      attempts: 3,
      cause: 'task_ended',
      code: 'ERR_TARGET_UNREACHABLE',
      mayExistUntil: plan.hardEnd,
    });

    const other = uuidv7();
    await world.startTask(other);
    await world.endTask(other);
    await world.until(() => world.revocation(`task:${other}`) !== undefined, 'the end of another task');

    target.down = false;
    const cut = await world.hears(plan.leaseId, 'lease.access_cut');
    expect(cut.requestedAt).toBe(unproven.since);
    expect(cut.exposureMs).toBeGreaterThan(300);
    await world.hears(plan.leaseId, 'lease.removed');
    expect(await observed(plan)).toBe('absent');
  });

  it('keeps a lease of a target that nobody configured, unproven', async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = world.target.plan({ target: 'elsewhere', notAfter: inMs(-1) });
    await world.say(world.intended(taskId, plan));
    expect(await world.hears(plan.leaseId, 'lease.revocation_unproven')).toMatchObject({
      code: 'ERR_TARGET_UNKNOWN',
    });
    expect(await world.stateOf(plan.leaseId)).toBe('due');
  });
});

describe('after a kill', () => {
  it('takes over at once what a dead process had in its hands', async () => {
    await world.start(switchable(world.target.revoker));
    const taskId = uuidv7();
    const plan = await live(taskId);
    await world.say({ type: 'task.ended', data: { ...brokers(taskId), outcome: 'failed' } });
    await world.hears(plan.leaseId, 'lease.revocation_requested');
    await world.stop();
    await world.db.pool.query('UPDATE lease SET taken_by = $1, act_at = $2 WHERE lease_id = $3', [
      randomUUID(),
      inMs(60_000),
      plan.leaseId,
    ]);

    await world.start();
    await world.hears(plan.leaseId, 'lease.access_cut');
    await world.hears(plan.leaseId, 'lease.removed');
  });

  it('cuts while the bus is away, and tells when it is back', async () => {
    await world.start();
    const plan = await live(uuidv7(), { notAfter: inMs(300) });
    // In the same turn as the last record: nothing of it is read before the bus is away.
    world.bus.away = true;
    await world.until(async () => (await world.stateOf(plan.leaseId)) === 'removed', 'the removal');
    expect(await observed(plan)).toBe('absent');
    expect(world.said(plan.leaseId)).toEqual([]);
    world.bus.away = false;
    await world.hears(plan.leaseId, 'lease.removed');
    expect(world.said(plan.leaseId)).toHaveLength(3);
  });
});

it('cuts a storm of ends', async () => {
  await world.start();
  const taskIds = Array.from({ length: 40 }, () => uuidv7());
  const plans: Plan[] = [];
  for (const taskId of taskIds) plans.push(await live(taskId));
  for (const taskId of taskIds) await world.startTask(taskId);
  await world.quiet();
  for (const taskId of taskIds) await world.endTask(taskId);
  for (const { leaseId } of plans) await world.hears(leaseId, 'lease.removed');
  expect(await Promise.all(plans.map(observed))).toEqual(plans.map(() => 'absent'));
});

it('tells verifiers once a second what they must hold', async () => {
  await world.start();
  await world.quiet();
  const beats = () =>
    world.bus.records(REVOCATIONS).filter((record) => record.key?.toString() === 'heartbeat');
  const before = beats().length;
  await world.until(() => beats().length >= before + 2, 'two heartbeats');

  // As a verifier would: the last record of each key, XOR of SHA-256(key ‖ 0x00 ‖ value).
  const held = new Map<string, Buffer>();
  for (const { key, value } of world.bus.records(REVOCATIONS)) {
    const name = key?.toString() ?? '';
    if (name === 'heartbeat') continue;
    if (value === null) held.delete(name);
    else held.set(name, value);
  }
  const sum = Buffer.alloc(32);
  for (const [key, value] of held) {
    const digest = createHash('sha256').update(`${key}\0`).update(value).digest();
    digest.forEach((byte, i) => (sum[i] = (sum[i] ?? 0) ^ byte));
  }
  expect(held.size).toBeGreaterThan(0);
  expect(world.revocation('heartbeat')).toMatchObject({ live: held.size, setDigest: sum.toString('hex') });
  const seqs = [...held.values()].map((value) => (JSON.parse(value.toString()) as { seq: number }).seq);
  expect(new Set(seqs).size).toBe(held.size);
  expect(world.revocation('heartbeat')?.['seq']).toBeGreaterThan(Math.max(...seqs));
});
