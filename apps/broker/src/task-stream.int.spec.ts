import { v7 as uuidv7 } from 'uuid';
import type { TaskAmended } from '#events/inbound.js';
import { transact } from '#store/database.js';
import { readStored } from '#store/events.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { writeHistory, type History } from '../test/history.js';
import { ANALYST, inMs, ORCHESTRATOR } from '../test/voices.js';
import { endOverdue } from './end-overdue.js';
import { resumeParked, suspendParked } from './suspend-task.js';
import { TASK_SHAPE, verifyTask } from './task-stream.js';
import { UnitOfWork } from './unit-of-work.js';

/** Set to a release: what is played here is recorded as its histories. */
const RECORD_AS = process.env['MAYFLY_RECORD_HISTORIES'] ?? '';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

const verify = (taskId: string) => transact(world.schema.db, (tx) => verifyTask(tx, taskId));

async function inWork(taskId: string, act: (work: UnitOfWork) => unknown): Promise<void> {
  const { db, relay, instanceId } = broker.parts;
  const queued = await transact(db, async (tx) => {
    const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
    act(work);
    return await work.flush(instanceId);
  });
  await relay.send(queued);
}
const apply = (act: typeof suspendParked, taskId: string) =>
  inWork(taskId, (work) => act(work, taskId, 'ce-parked', work.nowMs));
async function called(taskId: string, count = 1): Promise<void> {
  await broker.hear(await world.voices.calls(taskId, { ttlMs: 60_000 }));
  await world.hears(taskId, 'lease.issued', count);
}
async function revoked(taskId: string): Promise<void> {
  for (const { leaseId } of world.events(taskId, 'lease.issued'))
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'task_ended'));
}

/** A task that may write, which needs people. */
const starts = async (taskId: string) =>
  await broker.hear(
    await world.voices.starts(taskId, {
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['write'] }],
    }),
  );
async function asks(taskId: string, count = 1) {
  await broker.hear(await world.voices.calls(taskId, { action: 'write' }));
  const { approvalId, callDigest } = (await world.hears(taskId, 'approval.requested', count)).at(-1)!;
  const { approvals } = broker.broker;
  return {
    grant: (by: string, breakGlass?: string) =>
      approvals.answer(approvalId, { is: 'grant', by, callDigest, breakGlass }),
    say: (is: 'refuse' | 'withdraw', by: string) => approvals.answer(approvalId, { is, by }),
  };
}
const [OLGA, NADIA] = ['user:olga@corp.example', 'user:nadia@corp.example'];

const STORIES: Record<string, { story: string; play: (taskId: string) => Promise<void> }> = {
  'renewed-and-refused': {
    story: 'a lease is renewed once, and refused after the end of its task',
    play: async (taskId) => {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      const { leaseId = '' } = world.events(taskId, 'lease.issued')[0] ?? {};
      await broker.hear(await world.voices.renews(taskId, leaseId, 120_000));
      await world.hears(taskId, 'lease.renewed');
      await broker.hear(await world.voices.ends(taskId), await world.voices.renews(taskId, leaseId));
      await world.hears(taskId, 'lease.renewal_refused');
    },
  },
  'used-and-ended': {
    story: 'a call is permitted and used, the task is ended by its orchestrator, and the lease is cut',
    async play(taskId) {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      await broker.hear(
        await world.voices.says(ANALYST, 'tool.completed', {
          taskId,
          callId: uuidv7(),
          outcome: 'ok',
          rows: 42,
        }),
      );
      await broker.hear(await world.voices.ends(taskId));
      await revoked(taskId);
    },
  },
  'end-before-start': {
    story: 'the end is heard before the start, and counts once it is',
    async play(taskId) {
      await broker.hear(await world.voices.ends(taskId));
      await broker.hear(await world.voices.starts(taskId));
    },
  },
  'end-without-start': {
    story: 'only an end is ever heard',
    async play(taskId) {
      await broker.hear(await world.voices.ends(taskId));
    },
  },
  'denied-and-overdue': {
    story: 'a call is denied by policy, and the deadline comes before any end',
    async play(taskId) {
      await broker.hear(await world.voices.starts(taskId));
      await broker.hear(await world.voices.calls(taskId, { dataset: 'hr.salaries' }));
      await world.passDeadline(taskId);
      await endOverdue(broker.parts);
    },
  },
  'suspended-and-resumed': {
    story: 'a task is suspended, its lease is cut, and a call is permitted again once it is resumed',
    async play(taskId) {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      await apply(suspendParked, taskId);
      await revoked(taskId);
      await apply(resumeParked, taskId);
      await called(taskId, 2);
    },
  },
  'approved-and-withdrawn': {
    story: 'a call waits for a person, who grants it, and takes it back once it was used',
    async play(taskId) {
      await starts(taskId);
      const { grant, say } = await asks(taskId);
      await grant(OLGA);
      await world.hears(taskId, 'lease.issued');
      await say('withdraw', OLGA);
    },
  },
  'approvals-of-all-kinds': {
    story: 'one call is refused, for one an operator breaks the glass, and one waits until its task ends',
    async play(taskId) {
      await starts(taskId);
      await (await asks(taskId)).say('refuse', OLGA);
      await (await asks(taskId, 2)).grant(NADIA, 'the warehouse is on fire');
      await world.hears(taskId, 'lease.issued');
      await asks(taskId, 3);
      await broker.hear(await world.voices.ends(taskId));
      await broker.broker.approvals.lapse();
      await world.hears(taskId, 'approval.expired');
    },
  },
  'drifted-and-resumed': {
    story:
      'an agent reports one use and not another, changes its model and asks for what is not declared; a person lets the task go on',
    play: async (taskId) => {
      const reported = uuidv7();
      await broker.hear(await world.voices.starts(taskId));
      await broker.hear(await world.voices.calls(taskId, { callId: reported, model: { name: 'one' } }));
      await world.hears(taskId, 'lease.issued');
      const report = { taskId, callId: reported, outcome: 'ok' as const, rows: 42 };
      await broker.hear(await world.voices.says(ANALYST, 'tool.completed', report));
      await called(taskId, 2);
      for (const { leaseId } of world.events(taskId, 'lease.issued'))
        await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'expired'));
      for (const name of ['two', 'one', 'one', 'one'])
        await broker.hear(
          await world.voices.calls(taskId, { dataset: 'crm.customers', model: { name, version: '1' } }),
        );
      await world.hears(taskId, 'task.suspended');
      await broker.broker.orders.order(taskId, { is: 'resume', by: OLGA, reason: 'seen' });
      await called(taskId, 3);
      await broker.hear(await world.voices.calls(taskId, { action: 'write' }));
      await world.quiet();
    },
  },
  'revoked-by-an-operator': {
    story: 'an operator has the revoker take back what a task was lent, and the task goes on',
    play: async (taskId) => {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      const by = 'user:nadia@corp.example';
      const word = {
        taskId,
        generation: 1,
        actor: by,
        at: inMs(0),
        by,
        reason: 'its key was seen elsewhere',
      };
      const order = { orderId: uuidv7(), scope: 'task', subject: taskId, generationBelow: 2 } as const;
      await broker.hearRevoker(
        world.voices.tells({ type: 'revocation.ordered', data: { ...word, ...order } }),
      );
      await world.hears(taskId, 'task.revoked');
      await revoked(taskId);
      await called(taskId, 2);
      await world.quiet();
    },
  },
  'amended-and-rekeyed': {
    story: 'a task is amended, which cuts its lease, then its agent is re-keyed and calls with the new key',
    async play(taskId) {
      const amend = async (change: Partial<TaskAmended>) =>
        broker.hear(await world.voices.says(ORCHESTRATOR, 'task.amended', { taskId, ...change }));
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      await amend({ deadline: inMs(600_000), reason: 'sooner' });
      await revoked(taskId);
      await amend({ rekey: ANALYST });
      await broker.hear(await world.voices.calls(taskId, {}, await world.voices.newly(ANALYST)));
      await world.hears(taskId, 'lease.issued', 2);
    },
  },
  'refused-by-target': {
    story: 'a child of an open task; the target refuses to create its credential',
    async play(taskId) {
      const parent = uuidv7();
      await broker.hear(
        await world.voices.starts(parent, {
          delegable: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
        }),
      );
      world.target.answer = () => ({ answer: 'refused', code: 'ERR_TARGET_REFUSED' });
      await broker.hear(
        await world.voices.starts(taskId, {
          parent: { taskId: parent },
          declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
          deadline: inMs(600_000),
        }),
      );
      await broker.hear(await world.voices.calls(taskId));
      await world.hears(taskId, 'lease.abandoned');
    },
  },
};

describe('the row of a task says what its stream says', () => {
  it.each(Object.entries(STORIES))('%s', async (name, { story, play }) => {
    const taskId = uuidv7();

    await play(taskId);

    const history = await historyOf(taskId, story);
    expect(await verify(taskId)).toEqual({ same: true, version: history.events.length });
    expect(history.row).toMatchObject({ shape: TASK_SHAPE, version: history.events.length });
    if (RECORD_AS !== '') writeHistory(RECORD_AS, name, history);
  });

  it('and a row that says otherwise is found', async () => {
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId), await world.voices.ends(taskId));
    await world.query(`UPDATE task SET state = jsonb_set(state, '{status}', '"open"') WHERE task_id = $1`, [
      taskId,
    ]);

    expect(await verify(taskId)).toMatchObject({
      same: false,
      row: { status: 'open' },
      folded: { status: 'ended', version: 2 },
    });
    await world.query(`UPDATE task SET state = jsonb_set(state, '{status}', '"ended"'), status = 'open'`);
    expect(await verify(taskId)).toMatchObject({ same: false });
    expect(await verify(uuidv7())).toBeNull();
  });
});

async function historyOf(taskId: string, story: string): Promise<History> {
  const events = await transact(world.schema.db, (tx) => readStored(tx, taskId));
  const [row] = await world.query<History['row']>(
    'SELECT shape, version, status, state FROM task WHERE task_id = $1',
    [taskId],
  );
  if (row === undefined) throw new Error('the task has no row');
  return { story, taskId, events, row };
}

describe('a row that another release wrote', () => {
  /** Of the first shape, which knew no suspension; and with what only a fold can put right. */
  const asBefore = (taskId: string) =>
    world.query(
      `UPDATE task SET shape = 1, state = jsonb_set(state - 'suspendedFor', '{usage,calls}', '77') WHERE task_id = $1`,
      [taskId],
    );

  it('is folded anew from its stream once it is written about', async () => {
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId));
    await called(taskId);
    await asBefore(taskId);

    await broker.hear(await world.voices.ends(taskId));

    expect(await verify(taskId)).toEqual({ same: true, version: 5 });
    const [row] = await world.query('SELECT shape, status, state FROM task');
    expect(row).toMatchObject({
      shape: TASK_SHAPE,
      status: 'ended',
      state: { suspendedFor: [], usage: { calls: 1 } },
    });
  });

  it('is not made up for where its stream has an event of a later release', async () => {
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId, {}, ORCHESTRATOR));
    await asBefore(taskId);
    await world.query('UPDATE event SET schema_version = 2 WHERE stream = $1', [taskId]);

    const { db } = broker.parts;
    await expect(transact(db, (tx) => UnitOfWork.begin(tx, { taskIds: [taskId] }))).rejects.toMatchObject({
      code: 'ERR_EVENT_VERSION_UNKNOWN',
      fields: { stream: taskId, type: 'task.accepted', schemaVersion: 2 },
    });
  });
});
