/** Each target has a lane of its own, and in a lane tasks take turns. */
import { v7 as uuidv7 } from 'uuid';
import type { Plan } from '#providers/provider.js';
import { brokers, inMs } from './broker-voice.contract.js';
import { gatedTarget, type GatedTarget } from './gated-target.contract.js';
import { World } from './revoker-world.contract.js';

const STORM_WITHIN_MS = 180_000;
const READ_WITHIN_MS = 80_000;

let world: World;
let target: GatedTarget;
beforeAll(async () => {
  world = await World.open('rvb');
});
afterAll(() => world.close());
beforeEach(() => {
  target = gatedTarget();
});
afterEach(async () => {
  target.open();
  await world.stop();
});

/** Leases of one task that nobody created, as far as the revoker is concerned. */
async function intend(taskId: string, count: number): Promise<string[]> {
  const change = { target: 'warehouse', notAfter: inMs(600_000) };
  const plans = Array.from({ length: count }, () => world.target.plan(change));
  for (const plan of plans) await world.say(world.intended(taskId, plan));
  return plans.map(({ leaseId }) => leaseId);
}

const end = (taskId: string) =>
  world.say({ type: 'task.ended', data: { ...brokers(taskId), outcome: 'completed' } });

it(
  "a dead target does not delay another target's cuts",
  async () => {
    await world.start(world.target.revoker, { warehouse: target });
    const [lost, taskId] = [uuidv7(), uuidv7()];
    const plan: Plan = world.target.plan();
    await world.say(world.intended(taskId, plan));
    await world.target.created(plan);
    // More than its lane and all the places in it hold.
    const dead = await intend(lost, 800);
    await end(lost);
    await world.until(() => target.begun.length === 200, 'the lane of the dead target to be full');

    await end(taskId);

    await world.hears(plan.leaseId, 'lease.access_cut');
    await world.hears(plan.leaseId, 'lease.removed');
    expect(target.begun).toHaveLength(200);
    expect(dead.flatMap((leaseId) => world.said(leaseId).map(({ type }) => type))).not.toContain(
      'lease.access_cut',
    );

    target.fail();
    target.open();
    await world.until(async () => (await dueAt('warehouse')) === 0, 'the leases of the target that is back');
  },
  STORM_WITHIN_MS,
);

const answers: Record<string, () => Promise<void>> = {
  soon: () => Promise.resolve(),
  'only after all claims have lapsed': () =>
    world.until(async () => (await claimedAt('warehouse')) === 0, 'the claims to lapse'),
};

it.each(Object.keys(answers))(
  'a task with a thousand leases to cut does not make tasks with one wait behind it, where the target answers %s',
  async (when) => {
    await world.start(world.target.revoker, { warehouse: target });
    const long = uuidv7();
    const many = await intend(long, 1_000);
    const tasks = Array.from({ length: 150 }, () => uuidv7());
    const single: string[] = [];
    for (const taskId of tasks) single.push(...(await intend(taskId, 1)));
    await world.quiet(READ_WITHIN_MS);
    await end(long);
    await world.until(() => target.begun.length === 200, 'the first of them to be cut');
    await Promise.all(tasks.map(end));
    await world.until(async () => (await dueAt('warehouse')) === 1_150, 'all of them to be due');
    await answers[when]?.();

    target.open();

    await world.until(async () => (await dueAt('warehouse')) === 0, 'all of them to be cut');
    const lastOf = (leases: readonly string[]) =>
      Math.max(...leases.map((leaseId) => target.begun.indexOf(leaseId)));
    // As many as there are places kept; which of them, is for the order in which partitions are read.
    const early = single.filter((leaseId) => target.begun.indexOf(leaseId) < 500);
    expect(early.length).toBeGreaterThanOrEqual(100);
    expect(lastOf(single)).toBeLessThan(lastOf(many) - 100);
  },
  STORM_WITHIN_MS,
);

const dueAt = (name: string) => countDue(name, 'TRUE');
/** Those in hand whose claim is still good. */
const claimedAt = (name: string) => countDue(name, 'taken_by IS NOT NULL AND act_at > now()');

async function countDue(name: string, condition: string): Promise<number> {
  const { rows } = await world.db.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM lease WHERE target = $1 AND state = 'due' AND ${condition}`,
    [name],
  );
  return rows[0]?.n ?? 0;
}
