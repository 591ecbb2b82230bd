/** What a revoker would revoke, seen before it does. */
import { v7 as uuidv7 } from 'uuid';
import { CREDENTIAL_EVENTS, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import type { Plan } from '#providers/provider.js';
import { readPositions } from '#store/offsets.js';
import { inMs } from './broker-voice.contract.js';
import { forecast, tellForecast } from './forecast.js';
import { GROUP } from './publish.js';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvf');
});
afterAll(() => world.close());
afterEach(() => world.stop());

/** A live credential of a started task, as the broker leaves it. */
async function live(taskId: string, change: Partial<Plan> = {}): Promise<Plan> {
  const plan = world.target.plan(change);
  await world.say(world.intended(taskId, plan));
  await world.target.created(plan);
  await world.say(world.issued(taskId, plan));
  return plan;
}

const observed = (plan: Plan) => world.target.revoker.observe(plan).then((seen) => seen.state);

/** All that would show that something was done. */
async function traces(plans: readonly Plan[]) {
  const topics = [CREDENTIAL_EVENTS, REVOCATIONS, TASK_EVENTS];
  return {
    said: topics.map((topic) => world.bus.records(topic).length),
    states: await Promise.all(plans.map(({ leaseId }) => world.stateOf(leaseId))),
    at: await Promise.all(plans.map(observed)),
    read: await readPositions(world.db, GROUP, await world.bus.ends(topics)),
    outbox: (await world.db.pool.query('SELECT FROM outbox')).rowCount,
  };
}

it('lists what would be revoked, for what reason, and does nothing of it', async () => {
  await world.start();
  const [ends, goesOn] = [uuidv7(), uuidv7()];
  for (const taskId of [ends, goesOn]) await world.startTask(taskId);
  const [ended, spared] = [await live(ends), await live(goesOn)];
  await world.quiet();
  await world.stop();
  // Nobody reads any more, so nobody cuts it.
  const over = await live(goesOn, { notAfter: inMs(-1) });
  await world.endTask(ends);
  const orphan = world.target.plan();
  await world.target.created(orphan);
  const { parts } = world;
  if (parts === undefined) throw new Error('no revoker was started');
  const plans = [ended, spared, over, orphan];
  const before = await traces(plans);

  const foreseen = await forecast(world.bus, parts);

  const causes = new Map(foreseen.revocations.map(({ leaseId, cause }) => [leaseId, cause]));
  expect(plans.map(({ leaseId }) => causes.get(leaseId))).toEqual([
    'task_ended',
    undefined,
    'expired',
    'orphan',
  ]);
  expect(foreseen).toMatchObject({ unread: 0, unlisted: [] });
  expect(await traces(plans)).toEqual(before);
  tellForecast(foreseen, world.log);
  expect(world.logged.join('')).toContain(`"principal":"${ended.principal}"`);
  expect(world.logged.join('')).toContain('what would be revoked, and is not');

  await world.start();
  await world.hears(ended.leaseId, 'lease.removed');
  expect(await observed(spared)).toBe('live');
});
