/** The lease protocol (docs/design), rules 1 and 2: what is tried, how often, and when. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST } from '../test/voices.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

/** A started task with one permitted call, its create sent and not answered. */
async function creating() {
  const { voices, target } = world;
  const [taskId, callId] = [uuidv7(), uuidv7()];
  target.hang();
  await broker.hear(await voices.starts(taskId), await voices.calls(taskId, { callId }));
  await world.until(() => target.creates.length === 1, 'the create');
  return { taskId, callId, leaseId: target.creates[0] ?? '' };
}

const issued = async () => {
  const { taskId, callId } = await creating();
  world.target.answerAll();
  const [event] = await world.hears(taskId, 'lease.issued');
  return { taskId, callId, leaseId: event?.leaseId ?? '' };
};

describe('rule 1: one lease, one attempt', () => {
  it('abandons the lease of a dead broker, never sends it again, and intends a new one for the same call', async () => {
    const { taskId, callId, leaseId } = await creating();
    const next = await world.start();
    await broker.die();

    await next.recover();
    world.target.answerAll();

    const [abandoned] = await world.hears(taskId, 'lease.abandoned');
    expect(abandoned).toMatchObject({ leaseId, callId, answered: false, why: 'no_answer' });
    const [fresh] = await world.hears(taskId, 'lease.issued');
    expect(fresh?.leaseId).not.toBe(leaseId);
    expect(world.target.creates).toEqual([leaseId, fresh?.leaseId]);
    // The dead one's create was answered after all; its secret is dropped.
    await world.quiet();
    expect(world.events(taskId, 'lease.issued')).toHaveLength(1);
    expect(world.delivered(taskId).map(({ type }) => type)).toEqual(['credential.delivered']);
  });

  it('leaves the lease of a living broker alone', async () => {
    const { taskId, leaseId } = await creating();
    const other = await world.start();

    await other.recover();
    await broker.recover();
    world.target.answerAll();

    expect(await world.hears(taskId, 'lease.issued')).toMatchObject([{ leaseId }]);
    expect(world.events(taskId, 'lease.abandoned')).toEqual([]);
  });

  it('abandons even a lease of its own once nobody can be waited for any more', async () => {
    const { taskId, leaseId } = await creating();
    await world.query("UPDATE lease SET create_by = now() - interval '6 s' WHERE lease_id = $1", [leaseId]);

    await broker.recover();

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([{ leaseId, answered: false }]);
  });

  it('takes up a lease of its own that nobody here works on: the answer to its commit was lost', async () => {
    const taskId = uuidv7();
    world.bus.hold();
    await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId));
    await world.query(
      `UPDATE lease SET intent = jsonb_set(intent, '{at}', to_jsonb(now() - interval '5 seconds'))`,
    );
    await broker.recover();
    expect(await world.query(`SELECT 1 FROM lease WHERE state = 'abandoned'`)).toHaveLength(0);

    // As if this process had never heard that it intended it.
    const [lease] = await world.query<{ lease_id: string }>(`SELECT lease_id FROM lease`);
    broker.broker.issuer.holds = (leaseId) => leaseId !== lease?.lease_id;
    await broker.recover();

    expect(await world.query(`SELECT 1 FROM lease WHERE state = 'abandoned'`)).toHaveLength(1);
    world.bus.release();
    await world.hears(taskId, 'lease.issued');
  });

  it('lets one of two recovering brokers abandon a lease', async () => {
    const { taskId } = await creating();
    const [one, two] = [await world.start(), await world.start()];
    await broker.die();

    await Promise.all([one.recover(), two.recover()]);
    world.target.answerAll();
    await world.hears(taskId, 'lease.issued');
    await world.quiet();

    expect(world.events(taskId, 'lease.abandoned')).toHaveLength(1);
    expect(world.events(taskId, 'lease.intended')).toHaveLength(2);
  });

  it('has the database refuse a second lease of a call that is not abandoned', async () => {
    const { taskId } = await issued();

    const second = world.query(
      `INSERT INTO lease (lease_id, task_id, agent, call_id, state, intent, create_by, claimed_by)
         SELECT lease_id || 'x', task_id, agent, call_id, 'intended', intent, create_by, claimed_by FROM lease
          WHERE task_id = $1`,
      [taskId],
    );

    await expect(second).rejects.toMatchObject({ code: '23505', constraint: 'lease_one_per_call' });
  });

  it('spares a target that does not answer: after two calls the next is told at once, and no lease is made for it', async () => {
    const { voices, target } = world;
    const taskId = uuidv7();
    const calls = [uuidv7(), uuidv7(), uuidv7()];
    // None is due to be asked again, however late the next call comes.
    const { breakers } = broker.parts;
    const refusal = breakers.refusal.bind(breakers);
    breakers.refusal = (at) => refusal(at, 0);
    target.answer = () => ({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
    await broker.hear(await voices.starts(taskId));
    for (const [n, callId] of calls.entries()) {
      await broker.hear(await voices.calls(taskId, { callId }));
      await world.until(() => world.delivered(taskId).length === n + 1, 'the answer');
    }

    const codes = (await world.delivers(taskId, 'call.refused')).map(({ data }) => data);
    expect(codes).toMatchObject([
      { callId: calls[0], code: 'ERR_TARGET_UNREACHABLE' },
      { callId: calls[1], code: 'ERR_TARGET_UNREACHABLE' },
      { callId: calls[2], code: 'ERR_TARGET_UNAVAILABLE' },
    ]);
    expect(target.creates).toHaveLength(6);
    expect(world.events(taskId, 'lease.intended').map(({ callId }) => callId)).not.toContain(calls[2]);
    // Policy has said yes: this is no drift of its agent's, and no flip of a replay.
    const decided = world.events(taskId, 'call.decided').find(({ callId }) => callId === calls[2]);
    expect(decided).toMatchObject({ decision: 'permit', code: 'ERR_TARGET_UNAVAILABLE' });
    expect(decided).not.toHaveProperty('leaseId');
    expect(world.logged.join('')).toContain('a target does not answer: nothing is created there for now');
  });

  it('tries a target that does not answer three times, each with a lease of its own, then tells the agent', async () => {
    const { voices, target } = world;
    const [taskId, callId] = [uuidv7(), uuidv7()];
    target.answer = () => ({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });

    await broker.hear(await voices.starts(taskId), await voices.calls(taskId, { callId }));

    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ callId, agent: ANALYST, code: 'ERR_TARGET_UNREACHABLE' });
    expect(new Set(target.creates).size).toBe(3);
    expect(target.creates).toHaveLength(3);
    const abandoned = world.events(taskId, 'lease.abandoned');
    expect(abandoned.map(({ leaseId, answered }) => [leaseId, answered])).toEqual(
      target.creates.map((leaseId) => [leaseId, false]),
    );
  });

  it('creates nothing of an attempt that was rolled back because another owner had the partition', async () => {
    const { voices, schema, target } = world;
    const taskId = uuidv7();
    await broker.hear(await voices.starts(taskId));
    // Given a call whose transaction waits for its task, is bound to lose a race, and another owner behind it.
    await world.query(
      `INSERT INTO event (stream, version, type, data, ce_id) SELECT $1, 2, 'raced', '{}', '' `,
      [taskId],
    );
    const holder = await schema.db.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM task WHERE task_id = $1 FOR UPDATE', [taskId]);
    const waiters = async () =>
      (
        await world.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND application_name = current_schema()
         AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted)`)
      ).length;
    const hearing = broker.hear(await voices.calls(taskId));
    await world.until(async () => (await waiters()) === 1, 'the call to wait');
    const takeover = world.query('UPDATE bus_offset SET next = 1000');
    await world.until(async () => (await waiters()) === 2, 'the other owner to wait');

    await holder.query('COMMIT');
    holder.release();
    await Promise.all([hearing, takeover]);
    await sleep(50);

    expect(await world.query('SELECT 1 FROM lease')).toEqual([]);
    expect(target.creates).toEqual([]);
  });
});

describe('rule 2: publish, then act', () => {
  it('asks the target for nothing before the bus has acknowledged the intent', async () => {
    const { voices, target, bus } = world;
    const taskId = uuidv7();
    await broker.hear(await voices.starts(taskId));
    await world.quiet();
    bus.hold();
    await broker.hear(await voices.calls(taskId));
    await sleep(100);
    expect(await world.query("SELECT 1 FROM lease WHERE state = 'intended'")).toHaveLength(1);
    expect(target.creates).toEqual([]);

    bus.release();

    const [{ leaseId } = { leaseId: '' }] = await world.hears(taskId, 'lease.issued');
    expect(target.creates).toEqual([leaseId]);
    expect(world.typesOf(taskId)).toEqual([
      'task.accepted',
      'call.decided',
      'lease.intended',
      'lease.issued',
    ]);
  });

  it('creates nothing after it was told to stop, though the bus acknowledges then', async () => {
    const { voices, target, bus } = world;
    const taskId = uuidv7();
    bus.hold();
    await broker.hear(await voices.starts(taskId), await voices.calls(taskId));

    await broker.broker.issuer.stop();
    bus.release();
    await world.hears(taskId, 'lease.intended');
    await world.quiet();

    expect(target.creates).toEqual([]);
  });
});
