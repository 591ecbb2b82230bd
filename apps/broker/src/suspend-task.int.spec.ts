/** A task that is suspended fails closed: nothing is issued, nothing comes back, and its end still comes. */
import { v7 as uuidv7 } from 'uuid';
import { transact } from '#store/database.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, inMs, ORCHESTRATOR } from '../test/voices.js';
import { endOverdue } from './end-overdue.js';
import { resumeParked, suspendParked } from './suspend-task.js';
import { UnitOfWork } from './unit-of-work.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

async function apply(act: typeof suspendParked, taskId: string): Promise<void> {
  const { db, relay, instanceId } = broker.parts;
  const queued = await transact(db, async (tx) => {
    const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
    act(work, taskId, 'ce-parked', work.nowMs);
    return await work.flush(instanceId);
  });
  await relay.send(queued);
}
const suspend = (taskId: string) => apply(suspendParked, taskId);
const resume = (taskId: string) => apply(resumeParked, taskId);

async function started(change: Parameters<World['voices']['starts']>[1] = {}): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, change));
  return taskId;
}

it('refuses calls while suspended, and issues in the new generation afterwards', async () => {
  const taskId = await started();
  await suspend(taskId);
  await suspend(taskId);
  await broker.hear(await world.voices.calls(taskId));
  const [refused] = await world.delivers(taskId, 'call.refused');
  expect(refused?.data).toMatchObject({ code: 'ERR_TASK_SUSPENDED' });

  await resume(taskId);
  await resume(taskId);
  await broker.hear(await world.voices.calls(taskId));

  const [intended] = await world.hears(taskId, 'lease.intended');
  expect(intended).toMatchObject({ generation: 2, lineage: [{ taskId, generation: 2 }] });
  await world.hears(taskId, 'lease.issued');
  expect(world.events(taskId, 'task.suspended')).toMatchObject([
    { generation: 2, cause: 'parked', causedBy: 'ce-parked', actor: '//mayfly/broker' },
  ]);
  expect(world.events(taskId, 'task.resumed')).toMatchObject([{ generation: 2, cause: 'parked' }]);
});

it.each([
  ['suspended', false, 'task_suspended', 'ERR_TASK_SUSPENDED'],
  ['suspended and resumed', true, 'generation_changed', 'ERR_LEASE_ABANDONED'],
])('abandons a lease whose task was %s between intent and outcome', async (_what, resumed, why, code) => {
  world.target.hang();
  const taskId = await started();
  await broker.hear(await world.voices.calls(taskId));
  await world.until(() => world.target.creates.length === 1, 'the create');
  await suspend(taskId);
  if (resumed) await resume(taskId);

  world.target.answerAll();

  expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([{ answered: true, why }]);
  const [refused] = await world.delivers(taskId, 'call.refused');
  expect(refused?.data).toMatchObject({ code });
  expect(world.delivered(taskId).map(({ type }) => type)).toEqual(['call.refused']);
});

it('refuses the calls of a child, and new children, while the parent is suspended', async () => {
  const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
  const parent = await started({ delegable });
  const child = { parent: { taskId: parent }, declared: delegable, deadline: inMs(60_000) };
  const [elder, younger] = [uuidv7(), uuidv7()];
  await broker.hear(await world.voices.starts(elder, child, ANALYST));
  await suspend(parent);

  await broker.hear(await world.voices.calls(elder), await world.voices.starts(younger, child, ANALYST));

  const [refused] = await world.delivers(elder, 'call.refused');
  expect(refused?.data).toMatchObject({ code: 'ERR_TASK_SUSPENDED' });
  expect(await world.hears(younger, 'task.refused')).toMatchObject([{ code: 'ERR_TASK_SUSPENDED' }]);
});

it('is ended by its orchestrator all the same', async () => {
  const taskId = await started();
  await suspend(taskId);

  await broker.hear(await world.voices.ends(taskId));
  await resume(taskId);

  expect(await world.hears(taskId, 'task.ended')).toMatchObject([{ outcome: 'completed', generation: 2 }]);
  expect(world.events(taskId, 'task.resumed')).toEqual([]);
});

it('is ended by its deadline all the same', async () => {
  const taskId = await started();
  await suspend(taskId);

  await world.passDeadline(taskId);
  await endOverdue(broker.parts);

  expect(await world.hears(taskId, 'task.ended')).toMatchObject([{ outcome: 'deadline' }]);
});

it('does nothing to a task that nobody declared', async () => {
  const taskId = uuidv7();
  await suspend(taskId);
  await resume(taskId);

  expect(world.typesOf(taskId)).toEqual([]);
  expect(await world.query('SELECT 1 FROM task')).toEqual([]);
});

it('counts against the tasks that one identity may have at once', async () => {
  const taskId = await started();
  await suspend(taskId);

  const { db } = broker.parts;
  const open = await transact(db, async (tx) =>
    (await UnitOfWork.begin(tx, { taskIds: [], senders: [ORCHESTRATOR] })).openTasksOf(ORCHESTRATOR),
  );

  expect(open).toBe(1);
});
