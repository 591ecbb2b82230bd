/** What the revoker makes of renewals: a later end for what lives, and nothing for what is to die (protocol, rule 8). */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Plan } from '#providers/provider.js';
import { inMs, renewed } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';
import { tokenPlan } from './token-plan.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvn');
});
afterAll(() => world.close());
beforeEach(() => world.start());
afterEach(() => world.stop());

async function issuedIn(taskId: string, plan: Plan): Promise<Plan> {
  // Before it is heard of: what is over may be fenced before it is made.
  if (plan.provider === 'postgres') await world.target.created(plan);
  await world.say(world.intended(taskId, plan));
  await world.say(world.issued(taskId, plan));
  return plan;
}

/** A lease, and its renewal said in the same turn: it is heard with it, however slow the machine. */
async function renewedIn(taskId: string, notAfter: string): Promise<Plan> {
  const plan = await issuedIn(taskId, world.target.plan({ notAfter: inMs(300) }));
  await world.say(renewed(taskId, plan, notAfter));
  return plan;
}

it('a renewed lease lives past its first end', async () => {
  const plan = await renewedIn(uuidv7(), inMs(120_000));
  await world.quiet();

  await sleep(1_000);
  expect(await world.stateOf(plan.leaseId)).toBe('known');
  expect((await world.target.revoker.observe(plan)).state).toBe('live');
});

it('a renewed lease is cut at the end that it was renewed to', async () => {
  const notAfter = inMs(1_800);
  const plan = await renewedIn(uuidv7(), notAfter);

  const cut = await world.hears(plan.leaseId, 'lease.access_cut');
  expect(cut.cause).toBe('expired');
  expect(Date.parse(cut.requestedAt)).toBeGreaterThanOrEqual(Date.parse(notAfter));
});

it('a lease that was cut before its renewal is heard of stays cut', async () => {
  const taskId = uuidv7();
  const plan = await issuedIn(taskId, world.target.plan({ notAfter: inMs(300) }));
  await world.hears(plan.leaseId, 'lease.removed');
  await world.say(renewed(taskId, plan, inMs(60_000)));
  await world.quiet();

  expect(await world.stateOf(plan.leaseId)).toBe('removed');
  expect((await world.target.revoker.observe(plan)).state).toBe('absent');
});

it('verifiers remember a dead lease until the end of the last token that was lent in it', async () => {
  const taskId = uuidv7();
  const plan = await issuedIn(taskId, tokenPlan(taskId, 7_001, { notAfter: inMs(300) }));
  await world.hears(plan.leaseId, 'lease.removed');
  expect(world.revocation(`lease:${plan.leaseId}`)).toMatchObject({ notAfter: plan.notAfter });

  const notAfter = inMs(60_000);
  await world.say(renewed(taskId, plan, notAfter));
  await world.until(
    () => world.revocation(`lease:${plan.leaseId}`)?.notAfter === notAfter,
    'the record to be told for longer',
  );

  expect(world.looks({ ...plan, notAfter })).toBe('dead');
  const { rows } = await world.db.pool.query<{ longer: boolean }>(
    'SELECT not_after = $2::timestamptz AS longer FROM lease WHERE lease_id = $1',
    [plan.leaseId, notAfter],
  );
  // The status list is a view of these rows.
  expect(rows).toEqual([{ longer: true }]);
});
