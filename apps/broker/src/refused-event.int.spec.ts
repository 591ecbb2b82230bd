/** Authentic events that may not be: each a recorded refusal with its code, and no stall of the task behind it in the batch. */
import { v7 as uuidv7 } from 'uuid';
import type { RefusalCode } from '#events/refusal.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, called, inMs, ORCHESTRATOR, started, STRANGER } from '../test/voices.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

describe('an event of this task', () => {
  let taskId: string;
  beforeEach(async () => {
    taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId));
  });
  const denied = async (code: RefusalCode) => {
    expect(await world.hears(taskId, 'call.decided')).toMatchObject([{ decision: 'deny', code }]);
    expect(await world.delivers(taskId, 'call.refused')).toMatchObject([{ data: { code } }]);
    // One for the good task.
    expect(world.target.creates).toHaveLength(1);
  };

  it('is heard once when it is replayed, in the same batch or later', async () => {
    const call = await world.voices.calls(taskId);
    await world.hearWithGoodTask(broker, call, world.voices.again(call));
    await world.hearWithGoodTask(broker, world.voices.again(call));

    expect(world.events(taskId, 'call.decided')).toHaveLength(1);
    expect(world.events(taskId, 'lease.intended')).toHaveLength(1);
    expect(world.delivered(taskId)).toHaveLength(1);
    expect(world.deadLetters).toEqual([]);
  });

  it('is ERR_ID_REUSED when its id was used for other bytes', async () => {
    const id = uuidv7();
    const says = (ttlMs: number) => world.voices.says(ANALYST, 'tool.called', called(taskId, { ttlMs }), id);
    await broker.hear(await says(60_000));
    await world.hears(taskId, 'lease.issued');

    await world.hearWithGoodTask(broker, await says(90_000));

    expect(await world.hears(taskId, 'event.rejected')).toMatchObject([
      { code: 'ERR_ID_REUSED', sender: ANALYST },
    ]);
    expect(await world.delivers(taskId, 'call.refused')).toHaveLength(1);
    expect(world.events(taskId, 'lease.intended')).toHaveLength(1);
  });

  it('is ERR_KEY_CHANGED with another key than before', async () => {
    await world.hearWithGoodTask(
      broker,
      await world.voices.ends(taskId, await world.voices.newly(ORCHESTRATOR)),
    );

    expect(await world.hears(taskId, 'event.rejected')).toMatchObject([{ code: 'ERR_KEY_CHANGED' }]);
    expect(world.events(taskId, 'task.ended')).toEqual([]);
  });

  it('is ERR_KEY_CHANGED when it is a call with another key than the report before it', async () => {
    const report = { taskId, callId: uuidv7(), outcome: 'ok' as const, rows: 1 };
    await broker.hear(await world.voices.says(ANALYST, 'tool.completed', report));

    await broker.hear(await world.voices.calls(taskId, {}, await world.voices.newly(ANALYST)));

    expect(await world.hears(taskId, 'event.rejected')).toMatchObject([{ code: 'ERR_KEY_CHANGED' }]);
    expect(world.events(taskId, 'call.decided')).toEqual([]);
  });

  it('is ERR_NOT_ENTITLED when it is an end by a stranger, and the task goes on', async () => {
    await world.hearWithGoodTask(broker, await world.voices.ends(taskId, STRANGER));
    await broker.hear(await world.voices.calls(taskId));

    expect(await world.hears(taskId, 'event.rejected')).toMatchObject([
      { code: 'ERR_NOT_ENTITLED', sender: STRANGER },
    ]);
    expect(await world.hears(taskId, 'lease.issued')).toHaveLength(1);
    expect(world.events(taskId, 'task.ended')).toEqual([]);
  });

  it('is ERR_AGENT_NOT_NAMED when it is a call by an agent of no task', async () => {
    await world.hearWithGoodTask(broker, await world.voices.calls(taskId, {}, STRANGER));

    expect(await world.hears(taskId, 'event.rejected')).toMatchObject([{ code: 'ERR_AGENT_NOT_NAMED' }]);
    expect(world.target.creates).toHaveLength(1);
  });

  it('is ERR_TASK_ENDED when it is a call after the end', async () => {
    await world.hearWithGoodTask(broker, await world.voices.ends(taskId), await world.voices.calls(taskId));

    await denied('ERR_TASK_ENDED');
  });

  it('is ERR_TTL_TOO_LONG when its credential would outlive the task', async () => {
    await world.hearWithGoodTask(broker, await world.voices.calls(taskId, { ttlMs: 7_200_000 }));

    await denied('ERR_TTL_TOO_LONG');
  });

  it('is ERR_DATASET_UNKNOWN when it is a call for a dataset nobody knows', async () => {
    await world.hearWithGoodTask(broker, await world.voices.calls(taskId, { dataset: 'crm.nothing' }));

    await denied('ERR_DATASET_UNKNOWN');
  });

  it('ends the task though its SVID has expired, if it is its end', async () => {
    const late = uuidv7();
    const orchestrator = await world.voices.newly(ORCHESTRATOR, { ttlS: 20 });
    const early = await world.voices.says(orchestrator, 'task.started', started(late));
    await broker.hear(early, {
      ...(await world.voices.ends(late, orchestrator)),
      appendedAtMs: Date.now() + 30_000,
    });

    expect(await world.hears(late, 'task.ended')).toMatchObject([
      { outcome: 'completed', actor: ORCHESTRATOR },
    ]);
    expect(world.deadLetters).toEqual([]);
  });
});

describe('a task that cannot be', () => {
  it('is unknown to a call that comes before its start, which may be made again after it', async () => {
    const taskId = uuidv7();
    const call = called(taskId);
    await world.hearWithGoodTask(broker, await world.voices.says(ANALYST, 'tool.called', call));

    expect(await world.hears(taskId, 'event.rejected')).toMatchObject([
      { code: 'ERR_TASK_UNKNOWN', sender: ANALYST },
    ]);
    expect(await world.delivers(taskId, 'call.refused')).toMatchObject([
      { data: { code: 'ERR_TASK_UNKNOWN' } },
    ]);

    await broker.hear(
      await world.voices.starts(taskId),
      await world.voices.says(ANALYST, 'tool.called', call),
    );
    expect(await world.hears(taskId, 'lease.issued')).toHaveLength(1);
  });

  it.each([
    ['ERR_DEADLINE_PAST', { deadline: inMs(-1_000) }],
    ['ERR_DATASET_UNKNOWN', { declared: [{ tool: 'sql.query', dataset: 'crm.nothing', actions: ['read'] }] }],
  ])('is refused with %s, and no call is made in it', async (code, change) => {
    const taskId = uuidv7();
    await world.hearWithGoodTask(
      broker,
      await world.voices.starts(taskId, change),
      await world.voices.calls(taskId),
    );

    expect(await world.hears(taskId, 'task.refused')).toMatchObject([{ code }]);
    expect(world.typesOf(taskId)).toEqual(['task.refused', 'event.rejected']);
    expect(world.target.creates).toHaveLength(1);
  });
});
