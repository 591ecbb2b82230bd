/** After a restore nothing of the forgotten life goes on, and nothing is issued before every target was swept. */
import { v7 as uuidv7 } from 'uuid';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { transact } from '#store/database.js';
import { assertNotRestored, originBy } from '#store/epoch.js';
import { order, raiseEpoch, readStoreLife } from '#store/store-meta.js';
import { copySchema } from '../../../libs/store/test/copy-schema.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST } from '../test/voices.js';
import { recover } from './recover.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

async function started(): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId));
  return taskId;
}

async function issued(taskId: string): Promise<string> {
  const before = world.events(taskId, 'lease.issued').length;
  await broker.hear(await world.voices.calls(taskId));
  const all = await world.hears(taskId, 'lease.issued', before + 1);
  await world.quiet();
  return all.at(-1)?.leaseId ?? '';
}

/** What `mayfly recover` does, and the start of a broker after it. */
async function recovers(topics: string[] = []): Promise<{ done: Promise<void>; epoch: string }> {
  await transact(world.schema.db, async (tx) => {
    if (topics.length === 0) await raiseEpoch(tx, []);
    await order(tx, topics.length === 0 ? { store: true } : { topics });
  });
  broker = await world.start();
  const { epoch } = await readStoreLife(world.schema.db.pool);
  return { done: recover(broker.parts, world.bus), epoch };
}

const check = () =>
  assertNotRestored({
    ...{ db: world.schema.db, bus: world.bus, service: 'broker' },
    originOf: originBy(broker.parts.peers, 'broker'),
  });

describe('a restored database', () => {
  it('refuses to run, and is content with itself once it has recovered', async () => {
    await issued(await started());
    await expect(check()).resolves.toBeUndefined();
    const restore = await copySchema(world.schema.db);
    await issued(await started());
    await broker.stop();
    await restore();
    await expect(check()).rejects.toMatchObject({ code: 'ERR_STORE_RESTORED' });

    const { done, epoch } = await recovers();
    await world.hears('store', 'store.restored');
    await world.bus.publish([world.voices.sweeps(epoch)]);
    await done;

    await expect(check()).resolves.toBeUndefined();
    expect((await readStoreLife(world.schema.db.pool)).recovering).toBeNull();
  });

  it('abandons the leases and ends the tasks that it has forgotten, and those that it has not', async () => {
    const known = await started();
    await issued(known);
    const restore = await copySchema(world.schema.db);
    const lost = await issued(known);
    const forgotten = await started();
    const lease = await issued(forgotten);
    await broker.stop();
    await restore();

    const { done, epoch } = await recovers();

    for (const taskId of [known, forgotten])
      expect(await world.hears(taskId, 'task.ended')).toMatchObject([{ outcome: 'failed' }]);
    expect(world.events(known, 'lease.abandoned')).toMatchObject([
      { leaseId: lost, answered: false, why: 'store_restored' },
    ]);
    expect(world.events(forgotten, 'lease.abandoned')).toMatchObject([{ leaseId: lease }]);
    expect(await world.delivers(forgotten, 'lease.ended')).toMatchObject([{ data: { leaseId: lease } }]);
    await world.hears('store', 'store.restored');
    await world.bus.publish([world.voices.sweeps(epoch)]);
    await done;
  });

  it('waits for the sweep of its own epoch, said by the revoker', async () => {
    const { done, epoch } = await recovers();
    let isOver = false;
    void done.then(() => (isOver = true));
    await world.hears('store', 'store.restored');

    await world.bus.publish([world.voices.sweeps('another'), world.voices.sweeps(epoch, 'auditor')]);
    await world.hears('store', 'store.restored', 3);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isOver).toBe(false);

    await world.bus.publish([world.voices.sweeps(epoch)]);
    await done;
  });

  it('decides no call of the forgotten life again when it reads it once more', async () => {
    const restore = await copySchema(world.schema.db);
    const taskId = uuidv7();
    const records = [await world.voices.starts(taskId), await world.voices.calls(taskId)];
    await broker.hear(...records);
    await world.hears(taskId, 'lease.issued');
    await world.quiet();
    await broker.stop();
    await restore();
    const { done, epoch } = await recovers();
    await world.hears('store', 'store.restored');
    await world.bus.publish([world.voices.sweeps(epoch)]);
    await done;

    await broker.hear(...records);
    await world.delivers(taskId, 'call.refused');

    expect(world.events(taskId, 'lease.intended')).toHaveLength(1);
    expect(world.events(taskId, 'task.accepted')).toHaveLength(1);
  });

  it('does it all again after a crash in the middle, and says nothing twice of a task', async () => {
    const restore = await copySchema(world.schema.db);
    const taskId = await started();
    await issued(taskId);
    await broker.stop();
    await restore();
    const crashed = await recovers();
    await world.hears('store', 'store.restored');
    await world.quiet();

    broker = await world.start();
    const { epoch } = await readStoreLife(world.schema.db.pool);
    await world.query(
      'SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = $1 AND granted AND pid <> pg_backend_pid() AND objid::bigint = (hashtextextended($2, 0) & 4294967295)',
      ['advisory', `mayfly.recovery.${world.schema.db.schema}`],
    );
    const done = recover(broker.parts, world.bus);
    await world.hears('store', 'store.restored', 2);
    await world.bus.publish([world.voices.sweeps(epoch)]);
    await Promise.all([done, crashed.done]);

    expect(world.events(taskId, 'task.ended')).toHaveLength(1);
    expect(world.events(taskId, 'lease.abandoned')).toHaveLength(1);
  });
});

describe('a topic made anew', () => {
  it('suspends open tasks until their orchestrators speak again', async () => {
    const taskId = await started();
    await issued(taskId);
    const { done } = await recovers([TASK_EVENTS]);
    await done;
    expect(world.events(taskId, 'task.suspended')).toMatchObject([
      { generation: 2, cause: 'topic_recreated' },
    ]);
    await broker.hear(await world.voices.calls(taskId));
    await world.delivers(taskId, 'call.refused');

    await broker.hear(await world.voices.starts(taskId));

    expect(await world.hears(taskId, 'task.resumed')).toMatchObject([{ cause: 'topic_recreated' }]);
    await issued(taskId);
    expect(world.events(taskId, 'lease.intended').at(-1)).toMatchObject({ generation: 2 });
  });

  it('takes no word of another for it, nor an old one played back', async () => {
    const start = await world.voices.starts(uuidv7());
    const taskId = start.key?.toString() ?? '';
    await broker.hear(start);
    const { done } = await recovers([TASK_EVENTS]);
    await done;

    await broker.hear(
      world.voices.again(start),
      await world.voices.calls(taskId),
      await world.voices.says(ANALYST, 'tool.completed', { taskId, callId: uuidv7(), outcome: 'ok' }),
    );
    await world.delivers(taskId, 'call.refused');

    expect(world.events(taskId, 'task.resumed')).toEqual([]);
  });

  it('tells the intents of leases again where they may never have been read', async () => {
    const taskId = await started();
    const leaseId = await issued(taskId);

    const { done } = await recovers([CREDENTIAL_EVENTS]);
    await done;

    expect(await world.hears(taskId, 'lease.intended', 2)).toMatchObject([{ leaseId }, { leaseId }]);
  });
});
