/** The lease protocol (docs/design), rules 3, 4, 6, 10 and 11: what becomes of an attempt, and who hears of it. */
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, inMs } from '../test/voices.js';

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

describe('rule 3: one transaction decides the outcome', () => {
  it('abandons a lease whose task ended between intent and outcome, and delivers nothing', async () => {
    const { taskId, callId, leaseId } = await creating();
    await broker.hear(await world.voices.ends(taskId));

    world.target.answerAll();

    const [abandoned] = await world.hears(taskId, 'lease.abandoned');
    expect(abandoned).toMatchObject({ leaseId, answered: true, why: 'task_not_live' });
    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ callId, code: 'ERR_TASK_ENDED' });
    expect(world.delivered(taskId)).toHaveLength(1);
    expect(await world.query('SELECT state, envelope FROM lease')).toEqual([
      { state: 'abandoned', envelope: null },
    ]);
  });

  it('abandons a lease whose revocation was heard before the outcome', async () => {
    const { taskId, leaseId } = await creating();
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'operator'));

    world.target.answerAll();

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([
      { leaseId, answered: true, why: 'cut_heard' },
    ]);
    await world.delivers(taskId, 'call.refused');
    await world.quiet();
    expect(world.delivered(taskId).map(({ type }) => type)).toEqual(['call.refused']);
  });

  it('abandons a lease whose target answered after createBy, and intends a new one', async () => {
    const { taskId, leaseId } = await creating();
    await world.query(
      `UPDATE lease SET intent = jsonb_set(intent, '{createBy}', to_jsonb(now() - interval '1 ms'))`,
    );

    world.target.answerAll();

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([
      { leaseId, answered: true, why: 'too_late' },
    ]);
    const [fresh] = await world.hears(taskId, 'lease.issued');
    expect(fresh?.leaseId).not.toBe(leaseId);
    expect(await world.delivers(taskId, 'credential.delivered')).toHaveLength(1);
  });
});

describe('rule 4: the broker creates, only the revoker cuts', () => {
  it('abandons what the target refused, tells the agent, and undoes nothing', async () => {
    const { voices, target } = world;
    const taskId = uuidv7();
    target.answer = () => ({ answer: 'refused', code: '42710' });

    await broker.hear(await voices.starts(taskId), await voices.calls(taskId));

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([
      { answered: true, why: 'target_refused' },
    ]);
    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ code: 'ERR_TARGET_REFUSED' });
    await world.quiet();
    expect(target.asked.map(({ verb }) => verb)).toEqual(['create']);
  });

  it.each([
    ['was busy', 'ERR_TARGET_BUSY', 'target_busy'],
    ['found it too late', 'ERR_CREATE_TOO_LATE', 'too_late'],
  ])('intends a new lease for a call where the target %s, and nothing was made', async (_, code, why) => {
    const { voices, target } = world;
    const taskId = uuidv7();
    const answer = target.answer;
    target.answer = (plan) => (target.creates.length === 1 ? { answer: 'refused', code } : answer(plan));

    await broker.hear(await voices.starts(taskId), await voices.calls(taskId));

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([{ answered: true, why }]);
    const [fresh] = await world.hears(taskId, 'lease.issued');
    expect(target.creates[1]).toBe(fresh?.leaseId);
    expect(await world.delivers(taskId, 'credential.delivered')).toHaveLength(1);
  });

  it('tells the agent where the target is busy for the third time', async () => {
    const { voices, target } = world;
    const taskId = uuidv7();
    target.answer = () => ({ answer: 'refused', code: 'ERR_TARGET_BUSY' });

    await broker.hear(await voices.starts(taskId), await voices.calls(taskId));

    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ code: 'ERR_TARGET_REFUSED' });
    expect(target.creates).toHaveLength(3);
  });

  it('leaves an end to the revoker: it asks nothing of the target', async () => {
    const { taskId } = await issued();

    await broker.hear(await world.voices.ends(taskId));

    await world.hears(taskId, 'task.ended');
    expect(world.target.asked.map(({ verb }) => verb)).toEqual(['create']);
  });
});

describe('rule 6: liveness is a chain', () => {
  const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
  const family = async () => {
    const [parent, child] = [uuidv7(), uuidv7()];
    await broker.hear(await world.voices.starts(parent, { delegable }));
    const startChild = async () =>
      await broker.hear(
        await world.voices.starts(
          child,
          { parent: { taskId: parent }, declared: delegable, deadline: inMs(60_000) },
          ANALYST,
        ),
      );
    return { parent, child, startChild };
  };

  it('accepts no child of an ended parent', async () => {
    const { parent, child, startChild } = await family();
    await broker.hear(await world.voices.ends(parent));

    await startChild();

    expect(await world.hears(child, 'task.refused')).toMatchObject([{ code: 'ERR_PARENT_ENDED' }]);
  });

  it('permits a child no call once its parent has ended', async () => {
    const { parent, child, startChild } = await family();
    await startChild();
    await broker.hear(await world.voices.ends(parent));

    await broker.hear(await world.voices.calls(child));

    expect(await world.hears(child, 'call.decided')).toMatchObject([
      { decision: 'deny', code: 'ERR_PARENT_ENDED' },
    ]);
    expect(world.target.creates).toEqual([]);
  });

  it("abandons a child's lease when the parent ends before its outcome", async () => {
    const { parent, child, startChild } = await family();
    world.target.hang();
    await startChild();
    await broker.hear(await world.voices.calls(child));
    await world.until(() => world.target.creates.length === 1, 'the create');
    expect(await world.hears(child, 'lease.intended')).toMatchObject([
      {
        lineage: [
          { taskId: child, generation: 1 },
          { taskId: parent, generation: 1 },
        ],
      },
    ]);

    await broker.hear(await world.voices.ends(parent));
    world.target.answerAll();

    expect(await world.hears(child, 'lease.abandoned')).toMatchObject([{ why: 'task_not_live' }]);
  });
});

describe('rule 10: reading never waits for a target', () => {
  it('goes on reading, deciding and ending while a target answers nobody', async () => {
    const { voices, target } = world;
    const taskIds = Array.from({ length: 20 }, () => uuidv7());
    target.hang();
    for (const taskId of taskIds) await broker.hear(await voices.starts(taskId), await voices.calls(taskId));

    for (const taskId of taskIds) await broker.hear(await voices.ends(taskId));

    for (const taskId of taskIds) await world.hears(taskId, 'task.ended');
    expect(target.creates.length).toBeGreaterThan(0);
    expect(target.creates.length).toBeLessThan(taskIds.length);
  });
});

describe('rule 11: the agent is told', () => {
  it('puts one notice on the delivery topic for a cut of an issued lease, however often it is asked for', async () => {
    const { taskId, leaseId } = await issued();
    const { voices } = world;

    await broker.hearRevoker(voices.revokes(taskId, leaseId, 'task_ended'));
    await broker.hearRevoker(
      voices.revokes(taskId, leaseId, 'expired'),
      voices.revokes(taskId, leaseId, 'operator'),
    );
    await world.quiet();

    const notices = await world.delivers(taskId, 'lease.ended');
    expect(notices.map(({ data }) => data)).toEqual([{ taskId, leaseId, cause: 'task_ended' }]);
    expect(world.delivered(taskId).map(({ type }) => type)).toEqual(['credential.delivered', 'lease.ended']);
  });

  it('puts none there for a lease that was never issued', async () => {
    const { taskId, leaseId } = await creating();
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'task_ended'));
    world.target.answerAll();
    await world.hears(taskId, 'lease.abandoned');
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'abandoned'));
    await world.quiet();

    expect(world.delivered(taskId).map(({ type }) => type)).toEqual(['call.refused']);
  });

  it('believes nobody but the revoker', async () => {
    const { taskId, leaseId } = await issued();
    const { voices } = world;
    const forged = voices.revokes(taskId, leaseId, 'operator');
    forged.value = Buffer.from((forged.value ?? '').toString().replace('operator', 'expired'));

    await broker.hearRevoker(forged, voices.revokes(taskId, leaseId, 'operator', 'auditor'));
    await broker.hearRevoker(voices.revokes(uuidv7(), leaseId, 'operator'));
    await world.quiet();

    expect(world.delivered(taskId).map(({ type }) => type)).toEqual(['credential.delivered']);
    expect(world.logged.join('')).toContain('ERR_RECORD_FORGED');
  });
});
