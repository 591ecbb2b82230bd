/** An agent drifts from its task: it is told, policy sees it, and in the end the task waits for a person. */
import { v7 as uuidv7 } from 'uuid';
import { transact } from '#store/database.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, inMs, PLANNER } from '../test/voices.js';
import { evaluateActs } from './evaluate-acts.js';
import { verifyTask } from './task-stream.js';

const OLGA = 'user:olga@corp.example';

let world: World;
let broker: BrokerProcess;
let taskId: string;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
  taskId = uuidv7();
  await broker.hear(
    await world.voices.starts(taskId, {
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
    }),
  );
});
afterEach(() => world.close());

const asks = async (change: Parameters<typeof world.voices.calls>[1] = {}) =>
  await broker.hear(await world.voices.calls(taskId, change));
const reports = async (use: { callId: string; leaseId?: string }) =>
  await broker.hear(await world.voices.says(ANALYST, 'tool.completed', { taskId, outcome: 'ok', ...use }));
const drifts = async (times: number) => {
  for (let n = 0; n < times; n += 1) await asks({ dataset: 'crm.customers' });
};
const refusals = () =>
  world
    .delivered(taskId)
    .filter(({ type }) => type === 'call.refused')
    .map(({ data }) => data['code']);

const resume = (by: string) =>
  broker.broker.orders.order(taskId, { is: 'resume', by, reason: 'they were asked to' });

/** An issued lease of the agent. */
async function lent(callId = uuidv7(), model?: { name: string }) {
  const count = world.events(taskId, 'lease.issued').length + 1;
  await asks({ callId, ...(model === undefined ? {} : { model }) });
  const leases = await world.hears(taskId, 'lease.issued', count);
  return { callId, leaseId: leases.at(-1)?.leaseId ?? '' };
}

it('suspends the task with the signal that is too much, and gives it nothing more', async () => {
  await lent();

  await drifts(4);
  await asks();

  await world.quiet();
  expect(refusals()).toEqual([...Array<string>(4).fill('ERR_NOT_DECLARED'), 'ERR_TASK_SUSPENDED']);
  expect(world.events(taskId, 'call.decided')[1]).toMatchObject({ signals: ['dataset_creep'] });
  expect(world.events(taskId, 'drift.signalled')).toMatchObject(
    [25, 50, 75, 100].map((score, n) => ({
      ...{ agent: ANALYST, signal: 'dataset_creep', weight: 25, score, count: n + 1 },
      ...{ generation: 1, tenant: 'sample' },
    })),
  );
  expect(world.events(taskId, 'task.suspended')).toMatchObject([
    { cause: 'drift', generation: 2, actor: '//mayfly/broker' },
  ]);
  expect(await transact(world.schema.db, (tx) => verifyTask(tx, taskId))).toMatchObject({ same: true });
});

it('goes on by the word of a person who is not involved, in the new generation, with nothing to its name', async () => {
  await drifts(4);

  expect(await resume('user:nadia@corp.example')).toMatchObject({ refusal: { code: 'ERR_NOT_ENTITLED' } });
  expect(await resume(OLGA)).toMatchObject({ is: 'taken', changed: true });
  expect(await resume(OLGA)).toMatchObject({ is: 'taken', changed: false });

  const { leaseId } = await lent();
  expect(world.events(taskId, 'task.resumed')).toMatchObject([
    { actor: OLGA, cause: 'drift', generation: 2, reason: 'they were asked to' },
  ]);
  expect(world.events(taskId, 'lease.intended')).toMatchObject([{ leaseId, generation: 2 }]);
  await drifts(1);
  expect(await world.hears(taskId, 'drift.signalled', 5)).toMatchObject({ 4: { score: 25, count: 1 } });
});

it('is seen by policy before it is too much, for calls, and for who asks what would be decided', async () => {
  world.drift = {
    ...world.drift,
    weights: { ...world.drift.weights, dataset_creep: 45 },
  };
  broker = await world.start();
  await drifts(2);

  await asks();

  const decided = await world.hears(taskId, 'call.decided', 3);
  expect(decided[2]).toMatchObject({ decision: 'deny', generation: 1 });
  expect(decided[2]?.checks.flatMap(({ policies = [] }) => policies)).toContain('guard.drift');
  const act = { taskId, agent: ANALYST, tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
  expect(await evaluateActs([act], ANALYST, broker.parts)).toMatchObject([
    { decision: 'deny', code: decided[2]?.code },
  ]);
});

it('is a model that changes in mid-task', async () => {
  await lent(uuidv7(), { name: 'one' });
  await lent(uuidv7(), { name: 'two' });

  expect(await world.hears(taskId, 'drift.signalled')).toMatchObject([
    { signal: 'model_changed', weight: 40, score: 40 },
  ]);
});

it('is no call that is asked again, and none that is decided again after the end', async () => {
  const again = await world.voices.calls(taskId, { dataset: 'crm.customers' });
  await broker.hear(again, world.voices.again(again));
  world.target.hang();
  world.target.answer = () => ({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
  await asks();
  await world.until(() => world.target.creates.length === 1, 'the create');
  await broker.hear(await world.voices.ends(taskId));

  world.target.answerAll();

  const decided = await world.hears(taskId, 'call.decided', 3);
  expect(decided.map(({ code }) => code)).toEqual(['ERR_NOT_DECLARED', undefined, 'ERR_TASK_ENDED']);
  await world.quiet();
  expect(world.events(taskId, 'drift.signalled')).toMatchObject([{ signal: 'dataset_creep', count: 1 }]);
});

it('is a call after the end', async () => {
  await broker.hear(await world.voices.ends(taskId));

  await asks();

  expect(await world.hears(taskId, 'drift.signalled')).toMatchObject([
    { signal: 'use_after_end', agent: ANALYST, score: 20 },
  ]);
  expect(world.typesOf(taskId)).not.toContain('task.suspended');
});

it('is a use reported long after its lease was cut', async () => {
  const { callId, leaseId } = await lent();
  await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'operator'));
  await world.query(`UPDATE lease SET cut_at = cut_at - interval '1 minute' WHERE lease_id = $1`, [leaseId]);

  await reports({ callId, leaseId: uuidv7() });
  await reports({ callId, leaseId });

  expect(await world.hears(taskId, 'drift.signalled')).toMatchObject([
    { signal: 'use_after_end', callId, leaseId, count: 1 },
  ]);
});

it('is a lease that ran out unused, once the agent’s uses are reported', async () => {
  const first = await lent();
  const used = await lent();
  await broker.hearRevoker(world.voices.revokes(taskId, first.leaseId, 'expired'));
  expect(world.events(taskId, 'drift.signalled')).toEqual([]);

  await reports({ callId: used.callId });
  const [unused, returned] = [await lent(), await lent()];
  for (const { leaseId } of [used, unused])
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'expired'));
  await broker.hearRevoker(world.voices.revokes(taskId, returned.leaseId, 'returned'));

  await world.quiet();
  expect(world.events(taskId, 'drift.signalled')).toMatchObject([
    { signal: 'granted_unused', weight: 5, score: 5, leaseId: unused.leaseId, callId: unused.callId },
  ]);
});

it('of a child suspends the child alone, and its parent goes on', async () => {
  const parent = uuidv7();
  const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
  await broker.hear(
    await world.voices.starts(parent, { delegable, agents: [{ id: ANALYST }, { id: PLANNER }] }),
  );
  taskId = uuidv7();
  const child = { parent: { taskId: parent }, declared: delegable, deadline: inMs(60_000) };
  await broker.hear(await world.voices.starts(taskId, child, PLANNER));
  await world.hears(taskId, 'task.accepted');

  await drifts(4);

  expect(await world.hears(taskId, 'task.suspended')).toMatchObject([{ cause: 'drift' }]);
  expect(world.typesOf(parent)).not.toContain('task.suspended');
});
