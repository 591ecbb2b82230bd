import { v7 as uuidv7 } from 'uuid';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { Plan } from '#providers/provider.js';
import { brokers, inMs } from './broker-voice.contract.js';
import { OPERATOR, ORCHESTRATOR, STRANGER, World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvk');
});
afterAll(() => world.close());
afterEach(() => world.stop());

/** A live credential of a started task, as the broker leaves it. */
async function live(taskId: string, change: Partial<Plan> = {}, parents: string[] = []): Promise<Plan> {
  const plan = world.target.plan(change);
  // Before it is heard of: what is due at once may be fenced before it is made.
  await world.target.created(plan);
  await world.say(world.intended(taskId, plan, parents));
  await world.say(world.issued(taskId, plan));
  return plan;
}

const observed = (plan: Plan) => world.target.revoker.observe(plan).then((seen) => seen.state);

it('cuts, proves and removes when the task ends', async () => {
  await world.start();
  const taskId = uuidv7();
  await world.startTask(taskId);
  const plan = world.target.plan();
  await world.say(world.intended(taskId, plan));
  const credential = await world.target.created(plan);
  await world.say(world.issued(taskId, plan));
  const session = await world.target.session(credential);
  const dead = new Promise((resolve) => session.once('end', resolve));

  const endId = uuidv7();
  await world.endTask(taskId, ORCHESTRATOR, endId);

  const cut = await world.hears(plan.leaseId, 'lease.access_cut');
  expect(cut).toMatchObject({
    taskId,
    generation: 1,
    tenant: 'sample',
    actor: '//mayfly/revoker',
    causedBy: endId,
    cause: 'task_ended',
    evidence: { state: 'disabled', sessionsEnded: 1, nodes: { seen: 1, expected: 1 } },
  });
  expect(cut.evidence.observations).toBeGreaterThanOrEqual(2);
  await dead;
  await world.hears(plan.leaseId, 'lease.removed');
  expect(await observed(plan)).toBe('absent');
  expect(world.said(plan.leaseId).map((event) => event.type)).toEqual([
    'lease.revocation_requested',
    'lease.access_cut',
    'lease.removed',
  ]);
  await world.until(() => world.revocation(`task:${taskId}`) !== undefined, 'the revocation');
  expect(world.revocation(`task:${taskId}`)).toMatchObject({
    what: 'task',
    id: taskId,
    generationBelow: null,
    reason: 'task_ended',
  });
});

describe('rule 5: the revoker remembers ends', () => {
  it('makes a lease due at once when its intent is read after the end', async () => {
    await world.start();
    const taskId = uuidv7();
    await world.startTask(taskId);
    await world.endTask(taskId);
    await world.quiet();
    const plan = await live(taskId);
    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'task_ended' });
    await world.hears(plan.leaseId, 'lease.removed');
    expect(await observed(plan)).toBe('absent');
  });

  it('cuts the leases of a child when its parent ends, before and after', async () => {
    await world.start();
    const [parent, child] = [uuidv7(), uuidv7()];
    await world.startTask(parent);
    const before = await live(child, {}, [parent]);
    await world.quiet();
    await world.endTask(parent);
    expect(await world.hears(before.leaseId, 'lease.access_cut')).toMatchObject({
      taskId: child,
      cause: 'parent_ended',
    });
    const after = await live(child, {}, [parent]);
    expect(await world.hears(after.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'parent_ended' });
  });

  it('remembers an end that came before its start, for the sender it entitles', async () => {
    await world.start();
    const taskId = uuidv7();
    await world.endTask(taskId);
    await world.startTask(taskId);
    await world.quiet();
    const plan = await live(taskId);
    await world.hears(plan.leaseId, 'lease.access_cut');
  });

  it("takes the broker's word for a deadline", async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = await live(taskId);
    await world.say({ type: 'task.ended', data: { ...brokers(taskId), outcome: 'deadline' } });
    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'deadline' });
  });
});

describe('what does nothing', () => {
  it('is the end of a stranger', async () => {
    await world.start();
    const taskId = uuidv7();
    await world.startTask(taskId);
    const plan = await live(taskId);
    await world.endTask(taskId, STRANGER);
    await world.quiet();
    expect(await world.stateOf(plan.leaseId)).toBe('known');
    expect(world.said(plan.leaseId)).toEqual([]);
    expect(world.revocation(`task:${taskId}`)).toBeUndefined();
    await world.endTask(taskId, OPERATOR);
    await world.hears(plan.leaseId, 'lease.removed');
  });

  it('is an intent that the broker did not sign', async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = world.target.plan({ notAfter: inMs(-1_000) });
    const forged = world.intended(taskId, plan);
    await world.say(forged, 'auditor');
    await world.bus.publish([
      {
        topic: CREDENTIAL_EVENTS,
        key: taskId,
        value: Buffer.from(JSON.stringify(forged.data)),
        headers: { ce_type: 'dev.mayfly.lease.intended.v1' },
      },
    ]);
    await world.quiet();
    expect(await world.stateOf(plan.leaseId)).toBeUndefined();
    expect(world.logged.join('')).toContain('a record that none of the services signed was passed over');
  });

  it('is a record that the broker sent before, but two with one counter are told of', async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = await live(taskId);
    await world.quiet();
    const last = world.bus.records(CREDENTIAL_EVENTS).findLast(({ key }) => key?.toString() === taskId);
    const [, n] = (last?.headers['mayfly-store'] ?? '').toString().split('.');
    await world.say(world.intended(taskId, { ...plan, target: 'elsewhere' }), 'broker', Number(n));
    await world.quiet();
    expect(await world.stateOf(plan.leaseId)).toBe('known');
    expect(world.logged.join('')).toContain("the broker's database was restored, and does not know it");
    await world.endTask(taskId, OPERATOR);
    await world.hears(plan.leaseId, 'lease.removed');
  });

  it('is an end that is delivered twice, or said twice', async () => {
    await world.start();
    const taskId = uuidv7();
    const endId = uuidv7();
    await world.startTask(taskId);
    const plan = await live(taskId);
    await world.quiet();
    await world.endTask(taskId, ORCHESTRATOR, endId);
    await world.endTask(taskId, ORCHESTRATOR, endId);
    await world.endTask(taskId);
    await world.hears(plan.leaseId, 'lease.removed');
    await world.quiet();
    expect(world.said(plan.leaseId)).toHaveLength(3);
  });
});

describe('rule 12: own clocks', () => {
  it('cuts a lease at its notAfter, by rows that outlive the process', async () => {
    await world.start();
    const plan = await live(uuidv7(), { notAfter: inMs(800) });
    await world.quiet();
    await world.stop();
    await world.start();
    const cut = await world.hears(plan.leaseId, 'lease.access_cut');
    expect(cut.cause).toBe('expired');
    expect(Date.parse(cut.requestedAt)).toBeGreaterThanOrEqual(Date.parse(plan.notAfter));
    await world.hears(plan.leaseId, 'lease.removed');
  });
});

describe('rule 7: proof by the class of the target', () => {
  it('is given at a fenced target before the create was sent, which then lands no more', async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = world.target.plan();
    await world.say(world.intended(taskId, plan));
    await world.say({ type: 'task.ended', data: { ...brokers(taskId), outcome: 'cancelled' } });
    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({
      evidence: { state: 'absent' },
    });
    await world.hears(plan.leaseId, 'lease.removed');
    expect(await world.target.broker.create(plan)).toMatchObject({ answer: 'refused' });
    expect(await observed(plan)).toBe('absent');
  });
});

describe('rule 4: only the revoker cuts', () => {
  it('cuts what the broker abandoned, whether it was created or not', async () => {
    await world.start();
    const taskId = uuidv7();
    const [created, never] = [world.target.plan(), world.target.plan()];
    await world.target.created(created);
    for (const [plan, answered] of [
      [created, true],
      [never, false],
    ] as const) {
      await world.say(world.intended(taskId, plan));
      await world.say({
        type: 'lease.abandoned',
        data: { ...brokers(taskId), leaseId: plan.leaseId, callId: uuidv7(), answered, why: 'too_late' },
      });
    }
    expect(await world.hears(created.leaseId, 'lease.access_cut')).toMatchObject({
      cause: 'abandoned',
      evidence: { state: 'disabled' },
    });
    expect(await world.hears(never.leaseId, 'lease.access_cut')).toMatchObject({
      cause: 'abandoned',
      evidence: { state: 'absent' },
    });
    for (const plan of [created, never]) {
      await world.hears(plan.leaseId, 'lease.removed');
      expect(await observed(plan)).toBe('absent');
      expect(world.revocation(`lease:${plan.leaseId}`)).toMatchObject({ what: 'lease', reason: 'abandoned' });
    }
  });

  it('only notes what was issued in its time and is read after its removal', async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = world.target.plan({ notAfter: inMs(-1) });
    await world.say(world.intended(taskId, plan));
    await world.hears(plan.leaseId, 'lease.removed');
    await world.say(world.issued(taskId, plan));
    await world.quiet();
    expect(world.said(plan.leaseId)).toHaveLength(3);
    expect(world.logged.join('')).not.toContain('a removed lease was issued');
  });

  it('cuts again, with an alarm, what is issued after its removal against rule 3', async () => {
    await world.start();
    const taskId = uuidv7();
    const plan = world.target.plan({ notAfter: inMs(-1), createBy: inMs(-1) });
    await world.say(world.intended(taskId, plan));
    await world.hears(plan.leaseId, 'lease.removed');
    await world.say(world.issued(taskId, plan));
    await world.until(() => world.said(plan.leaseId).length === 6, 'the lease to be removed again');
    expect(world.logged.join('')).toContain('a removed lease was issued: it is cut again');
    await world.say(world.issued(taskId, plan));
    await world.quiet();
    expect(world.said(plan.leaseId)).toHaveLength(6);
  });
});
