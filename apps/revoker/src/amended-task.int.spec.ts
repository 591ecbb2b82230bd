/** A task that the broker amended: the leases from before are cut, wherever they hang, and verifiers are told. */
import { v7 as uuidv7 } from 'uuid';
import type { Lineage } from '#events/outbound.js';
import type { Plan } from '#providers/provider.js';
import { amended } from './amendment.contract.js';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rva');
});
afterAll(() => world.close());
beforeEach(() => world.start());
afterEach(() => world.stop());

/** A live credential, as the broker leaves it. @param lineage own task first */
async function live(lineage: Lineage): Promise<Plan> {
  const [own] = lineage;
  const { taskId = '', generation = 0 } = own ?? {};
  const plan = world.target.plan();
  // Before it is heard of: what is due at once may be fenced before it is made.
  await world.target.created(plan);
  const intended = world.intended(taskId, plan);
  await world.say({ ...intended, data: { ...intended.data, generation, lineage } });
  const issued = world.issued(taskId, plan);
  await world.say({ ...issued, data: { ...issued.data, generation } });
  return plan;
}

it.each(['amended', 'rekeyed'] as const)(
  'cuts what was lent before, known and heard of later, and spares what comes after: %s',
  async (cause) => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const before = await live([{ taskId, generation: 1 }]);
    await world.quiet();

    await world.say(amended(taskId, { cause }));
    const after = await live([{ taskId, generation: 2 }]);
    const late = await live([{ taskId, generation: 1 }]);

    for (const { leaseId } of [before, late])
      expect(await world.hears(leaseId, 'lease.access_cut')).toMatchObject({ cause, generation: 1 });
    await world.quiet();
    expect(await world.stateOf(after.leaseId)).toBe('known');
    await world.until(() => world.revocation(`task:${taskId}`) !== undefined, 'the revocation');
    expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 2, reason: cause });
  },
);

it('cuts the leases of the children made before', async () => {
  const [parent, child] = [uuidv7(), uuidv7()];
  await world.startTask(parent);
  const before = await live([
    { taskId: child, generation: 1 },
    { taskId: parent, generation: 1 },
  ]);
  await world.say(amended(parent));

  expect(await world.hears(before.leaseId, 'lease.access_cut')).toMatchObject({
    taskId: child,
    cause: 'amended',
  });
});
