/** A revoker that was away, paused past the end of its claims, undoes nothing of what others did meanwhile and claims nothing of it. */
import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { DoomedLease } from '#events/revocation.js';
import { Alive } from '#store/alive.js';
import { brokers, inMs } from './broker-voice.contract.js';
import { gatedTarget, type GatedTarget } from './gated-target.contract.js';
import { World } from './revoker-world.contract.js';

let world: World;
let target: GatedTarget;
let newer: Alive;
beforeAll(async () => {
  world = await World.open('rvl');
});
afterAll(() => world.close());
beforeEach(async () => {
  target = gatedTarget();
  newer = await Alive.as(randomUUID(), world.db, () => undefined);
});
afterEach(async () => {
  newer.stop();
  target.open();
  await world.stop();
});

/** A lease whose cut the revoker has begun, and not ended. */
async function underWay(): Promise<string> {
  await world.start(world.target.revoker, { warehouse: target });
  const taskId = uuidv7();
  const plan = world.target.plan({ target: 'warehouse' });
  await world.say(world.intended(taskId, plan));
  await world.say({ type: 'task.ended', data: { ...brokers(taskId), outcome: 'completed' } });
  await world.until(() => target.begun.includes(plan.leaseId), 'the cut to begin');
  return plan.leaseId;
}

async function rowOf(leaseId: string) {
  const { rows } = await world.db.pool.query<{ state: string; taken_by: string | null; body: DoomedLease }>(
    'SELECT state, taken_by, body FROM lease WHERE lease_id = $1',
    [leaseId],
  );
  return rows[0];
}

const tooLate = () => world.logged.join('').includes('an attempt came too late to count');

it.each(['fail', 'open'] as const)(
  'what it comes to (%s) is not written where another has taken the lease since',
  async (how) => {
    world.logged.length = 0;
    const leaseId = await underWay();
    await world.db.pool.query('UPDATE lease SET taken_by = $1, act_at = $2 WHERE lease_id = $3', [
      newer.instanceId,
      inMs(60_000),
      leaseId,
    ]);

    target[how]();

    await world.until(tooLate, 'the late attempt');
    expect(await rowOf(leaseId)).toMatchObject({
      state: 'due',
      taken_by: newer.instanceId,
      body: { revocation: { attempts: 0 } },
    });
    expect(world.said(leaseId).map(({ type }) => type)).toEqual(['lease.revocation_requested']);
  },
);

it('proves nothing of access that was seen again since it looked', async () => {
  world.logged.length = 0;
  const leaseId = await underWay();
  const again = `jsonb_set(jsonb_set(body, '{revocation,round}', '1'), '{revocation,requestedAtMs}', '1')`;
  await world.db.pool.query(`UPDATE lease SET body = ${again} WHERE lease_id = $1`, [leaseId]);

  target.open();

  await world.until(tooLate, 'the late attempt');
  // Its claim lapses, and then it is cut by a look of the present round.
  expect((await rowOf(leaseId))?.body.revocation.requestedAtMs).toBe(1);
  await world.hears(leaseId, 'lease.access_cut');
  expect(target.begun.filter((begun) => begun === leaseId).length).toBeGreaterThanOrEqual(2);
});
