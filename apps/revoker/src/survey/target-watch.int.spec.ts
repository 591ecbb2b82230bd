/** Targets looked at again and again (protocol rule 9): at the start, each minute, and when they come back in another life. */
import { v7 as uuidv7 } from 'uuid';
import type pg from 'pg';
import type { Plan } from '#providers/provider.js';
import { World } from '../revoker-world.contract.js';
import { knowTargets, takeSurvey, takeSweep } from './target-rows.js';
import type { TargetWatch } from './target-watch.js';
import {
  changed,
  NEVER_AGAIN_MS,
  swept,
  told,
  watching,
  type WatchOptions,
} from './watched-target.contract.js';

let world: World;
let admin: pg.Client;
let watch: TargetWatch | undefined;
beforeAll(async () => {
  world = await World.open('wat');
  admin = await world.target.superuser();
});
afterAll(() => world.close());
afterEach(async () => {
  await watch?.stop();
  await world.stop();
});

const begin = async (options: WatchOptions = {}) => (watch = await watching(world, options));
const observed = (plan: Plan) => world.target.revoker.observe(plan).then(({ state }) => state);

/** A principal that nobody ever meant; its name says that it is so old. */
async function orphanOf(ageMs: number): Promise<Plan> {
  const leaseId = uuidv7({ msecs: Date.now() - ageMs });
  const plan = world.target.plan({ leaseId, principal: world.target.revoker.principal(leaseId) });
  await world.target.created(plan);
  return plan;
}
async function live(taskId: string): Promise<Plan> {
  const plan = world.target.plan({});
  await world.say(world.intended(taskId, plan));
  await world.target.created(plan);
  await world.say(world.issued(taskId, plan));
  return plan;
}
const gone = async (plan: Plan) => await world.hears(plan.leaseId, 'lease.removed');

describe('a sweep', () => {
  it('at the start finds what no lease explains, cuts it, and says so', async () => {
    const plan = await orphanOf(60_000);

    await begin({ settings: { sweepEveryMs: NEVER_AGAIN_MS } });

    const { leaseId, principal } = plan;
    expect(await world.hears(leaseId, 'orphan.found')).toMatchObject({ target: 'shop', principal });
    expect(await world.hears(leaseId, 'orphan.cut')).toMatchObject({ target: 'shop', principal });
    expect(await world.hears(leaseId, 'lease.access_cut')).toMatchObject({ cause: 'orphan' });
    await gone(plan);
    expect(await observed(plan)).toBe('absent');
  });

  it('is made again: what comes later is found too', async () => {
    await begin();
    await swept(world);
    const plan = await orphanOf(60_000);

    expect(await world.hears(plan.leaseId, 'orphan.found')).toBeDefined();
    await gone(plan);
  });

  it('lets a young one alone until its grace is over, and a name of the future does not buy time', async () => {
    const [young, future] = [await orphanOf(0), await orphanOf(-3_600_000)];
    await begin({ settings: { orphanGraceMs: 600_000 } });
    await world.hears(future.leaseId, 'orphan.found');
    await swept(world);

    expect(world.said(young.leaseId)).toEqual([]);
    expect(await observed(young)).toBe('live');
    await watch?.stop();
    await world.stop();

    await begin({ settings: { orphanGraceMs: 0 } });
    expect(await world.hears(young.leaseId, 'orphan.cut')).toBeDefined();
    await gone(young);
  });

  it('spares what is lent, and what it has not read of yet', async () => {
    const taskId = uuidv7();
    await world.start();
    await world.startTask(taskId);
    await world.quiet();
    await world.stop();
    // Meant, made and issued while no revoker reads.
    const plan = await live(taskId);

    await begin({ settings: { orphanGraceMs: 0 } });
    await swept(world);

    expect(world.said(plan.leaseId)).toEqual([]);
    expect(await observed(plan)).toBe('live');
    await world.endTask(taskId);
    await gone(plan);
  });

  it('reports a lease whose principal is gone', async () => {
    const taskId = uuidv7();
    await begin();
    await world.startTask(taskId);
    const plan = await live(taskId);
    await world.quiet();
    await admin.query(`DROP ROLE ${plan.principal}`);

    await world.hears(plan.leaseId, 'lease.vanished');
    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'vanished' });
  });

  it('cuts at once what a restored backup brought back: its lease was proven dead', async () => {
    const taskId = uuidv7();
    await begin({ settings: { orphanGraceMs: 600_000 } });
    await world.startTask(taskId);
    const plan = await live(taskId);
    await world.endTask(taskId);
    await gone(plan);
    const cuts = () => world.said(plan.leaseId).filter(({ type }) => type === 'lease.access_cut').length;
    expect(cuts()).toBe(1);

    // As it was before the cut: the role can log in, and the fence stands open.
    await admin.query(`DELETE FROM mayfly.fence WHERE lease_id = '${plan.leaseId}'`);
    await world.target.created(plan);

    await world.until(() => cuts() === 2, 'a second cut');
    await world.until(async () => (await observed(plan)) === 'absent', 'the principal to be gone');
    expect(told(world, 'orphan.found').filter(({ leaseId }) => leaseId === plan.leaseId)).toEqual([]);
  });

  it('is the work of one process at a time', async () => {
    await world.start();
    const nowMs = Date.now();
    await knowTargets(world.db, ['one'], nowMs);

    const [first, second] = await Promise.all([
      takeSweep(world.db, 'one', nowMs, nowMs + 60_000),
      takeSweep(world.db, 'one', nowMs, nowMs + 60_000),
    ]);
    expect([first, second].filter((taken) => taken !== null)).toEqual([{ deep: false, incarnation: null }]);
    expect(await takeSurvey(world.db, 'one', nowMs, nowMs + 60_000)).toBe(true);
    expect(await takeSurvey(world.db, 'one', nowMs + 59_999, nowMs + 60_000)).toBe(false);
    expect(await takeSurvey(world.db, 'one', nowMs + 60_000, nowMs + 120_000)).toBe(true);
  });
});

describe('a target that comes back in another life', () => {
  const isSwept = async (life: string) => {
    const { rowCount } = await world.db.pool.query(
      `SELECT FROM target WHERE target = 'shop' AND incarnation = $1 AND NOT sweep_deep AND swept_at > now() - interval '1 minute'`,
      [life],
    );
    return rowCount === 1;
  };

  it('is told once, and looked at in depth: what is there and disabled has vanished too', async () => {
    let life = 'first';
    const provider = changed(world.target.revoker, { incarnation: () => Promise.resolve(life) });
    const taskId = uuidv7();
    await begin({ provider, settings: { sweepEveryMs: NEVER_AGAIN_MS } });
    // Another life than that of the specs before is swept for that.
    await world.until(() => isSwept('first'), 'the sweep at the start');
    await world.startTask(taskId);
    const plan = await live(taskId);
    await world.quiet();
    const before = told(world, 'target.restarted').length;
    await admin.query(`ALTER ROLE ${plan.principal} NOLOGIN`);
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${plan.principal}'`,
    );

    life = 'second';

    await world.hears(plan.leaseId, 'lease.vanished');
    expect(told(world, 'target.restarted').slice(before)).toEqual([
      expect.objectContaining({
        target: 'shop',
        provider: 'postgres',
        incarnation: 'second',
        previous: 'first',
      }),
    ]);
    await gone(plan);
  });

  it('is noticed by whoever starts later', async () => {
    const life = (name: string) =>
      changed(world.target.revoker, { incarnation: () => Promise.resolve(name) });
    await begin({ provider: life('second') });
    await swept(world);
    const before = told(world, 'target.restarted').length;
    await watch?.stop();
    await world.stop();

    await begin({ provider: life('third') });
    await world.until(() => told(world, 'target.restarted').length > before, 'the restart');

    expect(told(world, 'target.restarted').at(-1)).toMatchObject({
      previous: 'second',
      incarnation: 'third',
    });
  });
});
