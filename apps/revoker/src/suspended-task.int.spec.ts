/** A task that the broker suspended: the leases from before are cut, wherever they hang; those from after it live. */
import { v7 as uuidv7 } from 'uuid';
import type { SuspensionCause } from '#events/causes.js';
import type { Lineage } from '#events/outbound.js';
import type { Plan } from '#providers/provider.js';
import { brokers, inMs } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvs');
});
afterAll(() => world.close());
beforeEach(() => world.start());
afterEach(() => world.stop());

/** A live credential, as the broker leaves it. @param lineage own task first */
async function live(lineage: Lineage): Promise<Plan> {
  const [own] = lineage;
  const { taskId = '', generation = 0 } = own ?? {};
  const plan = world.target.plan();
  const intended = world.intended(taskId, plan);
  const issued = world.issued(taskId, plan);
  // Before it is heard of: what is due at once may be fenced before it is made.
  await world.target.created(plan);
  await world.say({ ...intended, data: { ...intended.data, generation, lineage } });
  await world.say({ ...issued, data: { ...issued.data, generation } });
  return plan;
}

const suspend = (taskId: string, generation: number, cause: SuspensionCause = 'parked') =>
  world.say({ type: 'task.suspended', data: { ...brokers(taskId), generation, cause } });
const observed = (plan: Plan) => world.target.revoker.observe(plan).then((seen) => seen.state);

it('cuts the leases of lower generations, known and heard of later, and spares those of the new one', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const before = await live([{ taskId, generation: 1 }]);
  await world.quiet();

  await suspend(taskId, 2);
  const after = await live([{ taskId, generation: 2 }]);
  const late = await live([{ taskId, generation: 1 }]);

  for (const { leaseId } of [before, late]) {
    expect(await world.hears(leaseId, 'lease.access_cut')).toMatchObject({ cause: 'parked', generation: 1 });
    await world.hears(leaseId, 'lease.removed');
  }
  await world.quiet();
  expect(await world.stateOf(after.leaseId)).toBe('known');
  expect(await observed(after)).toBe('live');
  expect(world.said(after.leaseId)).toEqual([]);
  await world.until(() => world.revocation(`task:${taskId}`) !== undefined, 'the revocation');
  expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 2, reason: 'parked' });

  await world.endTask(taskId);
  expect(await world.hears(after.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'task_ended' });
  await world.until(
    () => world.revocation(`task:${taskId}`)?.['generationBelow'] === null,
    'the revocation of the whole task',
  );
});

it.each<[SuspensionCause, string]>([
  ['operator', 'operator'],
  ['drift', 'suspended'],
])('cuts for another cause of the suspension too: %s', async (cause, told) => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const before = await live([{ taskId, generation: 1 }]);
  await world.quiet();

  await suspend(taskId, 2, cause);

  expect(await world.hears(before.leaseId, 'lease.access_cut')).toMatchObject({ cause: told });
  await world.until(() => world.revocation(`task:${taskId}`) !== undefined, 'the revocation');
  expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 2, reason: told });
});

it('cuts the leases of a child made before its parent was suspended, and spares those made after', async () => {
  const [parent, child] = [uuidv7(), uuidv7()];
  await world.startTask(parent);
  const under = (generation: number) =>
    live([
      { taskId: child, generation: 1 },
      { taskId: parent, generation },
    ]);
  const before = await under(1);
  await world.quiet();

  await suspend(parent, 2);
  const after = await under(2);
  const late = await under(1);

  expect(await world.hears(before.leaseId, 'lease.access_cut')).toMatchObject({
    taskId: child,
    cause: 'parked',
  });
  expect(await world.hears(late.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'parked' });
  await world.quiet();
  expect(await world.stateOf(after.leaseId)).toBe('known');
});

it('cuts them where the task has drifted too far, as for any suspension that nobody has to mend', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const before = await live([{ taskId, generation: 1 }]);
  await world.quiet();

  await world.say({
    type: 'task.suspended',
    data: { ...brokers(taskId), generation: 2, cause: 'drift' },
  });

  expect(await world.hears(before.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'suspended' });
  await world.until(() => world.revocation(`task:${taskId}`) !== undefined, 'the revocation');
  expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 2, reason: 'suspended' });
});

it('is remembered once, however often it is said, and a later one goes further', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId, { deadline: inMs(60_000) });
  await suspend(taskId, 2);
  await suspend(taskId, 2);
  await world.quiet();
  const between = await live([{ taskId, generation: 2 }]);
  await world.quiet();
  expect(await world.stateOf(between.leaseId)).toBe('known');

  await suspend(taskId, 3);

  expect(await world.hears(between.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'parked' });
  const { rows } = await world.db.pool.query<{ below: number }>(
    'SELECT generation_below AS below FROM tombstone WHERE task_id = $1 ORDER BY id',
    [taskId],
  );
  expect(rows).toEqual([{ below: 2 }, { below: 3 }]);
});
