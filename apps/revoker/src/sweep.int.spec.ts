/** Protocol rule 9, and what a restored revoker does before it is trusted again. */
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { OutboundEvent } from '#events/outbound.js';
import { CREDENTIAL_EVENTS, REVOCATIONS } from '#events/topics.js';
import type { Plan } from '#providers/provider.js';
import { transact } from '#store/database.js';
import { alone, order, raiseEpoch, readStoreLife } from '#store/store-meta.js';
import { copySchema } from '../../../libs/store/test/copy-schema.js';
import { brokers } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('swp');
});
afterAll(() => world.close());
afterEach(() => world.stop());

/** A live credential of a started task, as the broker leaves it. */
async function live(taskId: string): Promise<Plan> {
  const plan = world.target.plan({});
  await world.say(world.intended(taskId, plan));
  await world.target.created(plan);
  await world.say(world.issued(taskId, plan));
  return plan;
}

const observed = (plan: Plan) => world.target.revoker.observe(plan).then((seen) => seen.state);

const restored = (epoch: string): OutboundEvent => ({
  type: 'store.restored',
  data: { ...brokers('store'), generation: 0, service: 'broker', epoch, swept: false },
});

/** What the revoker said of a restore, in order. */
const sweeps = (epoch: string) =>
  world.bus
    .records(CREDENTIAL_EVENTS)
    .filter(({ headers }) => headers['ce_source']?.toString() === '//mayfly/revoker')
    .map((record) => JSON.parse(record.value?.toString() ?? 'null') as { epoch?: string; swept?: boolean })
    .filter((data) => data.epoch === epoch && data.swept === true);

it('sweeps when the broker was restored: what no lease explains is cut before it says so, the rest is spared', async () => {
  await world.startSweeping();
  const taskId = uuidv7();
  await world.startTask(taskId);
  const healthy = await live(taskId);
  const orphan = world.target.plan({});
  await world.target.created(orphan);

  await world.say(restored('one'));
  await world.until(() => sweeps('one').length > 0, 'the sweep');

  expect([await observed(orphan), await observed(healthy)]).not.toContain('unknown');
  expect(await observed(orphan)).not.toBe('live');
  expect(await observed(healthy)).toBe('live');
  const said = world.said(orphan.leaseId).map(({ type }) => type);
  expect(said.slice(0, 2)).toEqual(['orphan.found', 'lease.revocation_requested']);
  expect(await world.hears(orphan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'orphan' });
});

it('judges after reading: a lease whose intent it had not read yet is spared', async () => {
  await world.start();
  const taskId = uuidv7();
  await world.startTask(taskId);
  await world.quiet();
  await world.stop();
  const plan = await live(taskId);
  await transact(world.db, (tx) => order(tx, { sweeps: [{ service: 'broker', epoch: 'two' }] }));

  await world.startSweeping();
  await world.until(() => sweeps('two').length > 0, 'the sweep');

  expect(await observed(plan)).toBe('live');
  expect(await world.stateOf(plan.leaseId)).toBe('known');
});

it('reports a lease whose principal is gone', async () => {
  const taskId = uuidv7();
  await world.startSweeping();
  await world.startTask(taskId);
  const plan = await live(taskId);
  await world.quiet();
  await world.target.revoker.cut(plan);
  await world.target.revoker.clean(plan);

  await world.say(restored('three'));

  await world.hears(plan.leaseId, 'lease.vanished');
  expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'vanished' });
});

it('lets a sweep go when it stops, and whoever comes next takes it up', async () => {
  const revoker = await world.start();
  await world.stop();
  const taskId = uuidv7();
  await world.startTask(taskId);
  await transact(world.db, (tx) => order(tx, { sweeps: [{ service: 'broker', epoch: 'four' }] }));
  const sweeper = revoker.sweeper(world.bus);
  sweeper.start();
  const isUnderWay = () =>
    alone(world.db, () => Promise.resolve(), AbortSignal.timeout(150)).then(
      () => false,
      () => true,
    );
  await world.until(isUnderWay, 'a sweep that waits for records which nobody reads');

  await sweeper.stop();
  // The database hears a moment later that its session is gone.
  await world.until(async () => !(await isUnderWay()), 'the sweep to be let go');
  await world.startSweeping();

  await world.until(() => sweeps('four').length > 0, 'the sweep');
});

describe('a restored revoker', () => {
  it('cuts again what it has forgotten, and never lets seq go back', async () => {
    await world.start();
    const kept = uuidv7();
    await world.startTask(kept);
    const plan = await live(kept);
    await world.quiet();
    const restore = await copySchema(world.db);
    const forgotten = uuidv7();
    await world.startTask(forgotten);
    const lost = await live(forgotten);
    await world.quiet();
    await world.endTask(kept);
    await world.hears(plan.leaseId, 'lease.removed');
    const seqOf = (key: string) => (world.revocation(key) as { seq: number } | undefined)?.seq ?? 0;
    await world.until(() => seqOf('heartbeat') > seqOf(`task:${kept}`), 'a beat after the end');
    await world.stop();
    const before = world.revocation('heartbeat') as { seq: number };
    await world.endTask(forgotten);
    await restore();

    await transact(world.db, async (tx) => {
      await raiseEpoch(tx, []);
      await order(tx, { store: true });
    });
    const { epoch } = await readStoreLife(world.db.pool);
    await world.startSweeping();
    await world.until(() => sweeps(epoch).length > 0, 'the sweep');

    expect(await world.hears(lost.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'task_ended' });
    expect(await observed(plan)).toBe('absent');
    await world.until(() => (world.revocation('heartbeat') as { seq: number }).seq > before.seq, 'a beat');
    for (const partition of [0, 1, 2]) {
      const records = world.bus.records(REVOCATIONS).filter((record) => record.partition === partition);
      const seqs = records.map(({ value }) => (JSON.parse(value?.toString() ?? '{}') as { seq: number }).seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
    expect((await readStoreLife(world.db.pool)).recovering).toBeNull();
  });

  it('sums up what is on the topic, whoever of its lives said it', async () => {
    await world.start();
    const restore = await copySchema(world.db);
    const taskId = uuidv7();
    await world.startTask(taskId);
    await world.endTask(taskId);
    await world.until(() => world.revocation(`task:${taskId}`) !== undefined, 'the revocation');
    await world.stop();
    await restore();
    await transact(world.db, async (tx) => {
      await raiseEpoch(tx, []);
      await order(tx, { store: true });
    });

    await world.start();

    const live = new Map<string, Buffer>();
    for (const { key, value } of world.bus.records(REVOCATIONS))
      if (value !== null && key?.toString() !== 'heartbeat') live.set(key?.toString() ?? '', value);
    const digest = Buffer.alloc(32);
    for (const [key, value] of live) {
      const each = createHash('sha256').update(key).update(Buffer.of(0)).update(value).digest();
      for (let i = 0; i < 32; i += 1) digest[i] = (digest[i] ?? 0) ^ (each[i] ?? 0);
    }
    const { rows } = await world.db.pool.query<{ live: bigint; digest: Buffer }>(
      'SELECT live, set_digest AS digest FROM revocation_seq',
    );
    expect(rows[0]).toEqual({ live: BigInt(live.size), digest });
  });
});
