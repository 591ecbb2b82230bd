/** Operators' orders: what each of them reaches, of what is known and of what is heard of later, and what of it is proven. */
import { v7 as uuidv7 } from 'uuid';
import type { RevocationOrder } from '#events/revocation-order.js';
import type { EventOf } from '#events/outbound.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { Plan } from '#providers/provider.js';
import { AGENT, brokers } from '../broker-voice.contract.js';
import { STRANGER, World } from '../revoker-world.contract.js';
import type { Revoker } from '../revoker.js';
import { tokenPlan } from '../token-plan.contract.js';
import { carryOutPage } from './carry-out.js';
import { OrderDesk } from './order-desk.js';
import { countLeases } from './order-report.js';
import { readOrder } from './order-rows.js';

const NADIA = 'user:nadia@corp.example';
const PLANNER = 'spiffe://dev.mayfly/agent/planner';
/** What verifiers were told of an agent stays: each spec revokes another. */
const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';

let world: World;
let revoker: Revoker;
beforeAll(async () => {
  world = await World.open('rvo');
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.db.pool.query(
    'TRUNCATE lease, lease_lineage, task, tombstone, revocation_order, revocation_order_lease, revoked_agent CASCADE',
  );
  revoker = await world.start();
});
afterEach(() => world.stop());

const orderOf = (change: Partial<RevocationOrder>): RevocationOrder => ({
  ...{ orderId: uuidv7(), scope: 'all', subject: null, by: NADIA, reason: 'a laptop was stolen' },
  ...change,
});
async function order(change: Partial<RevocationOrder>) {
  const answer = await revoker.orders.order(orderOf(change));
  if (answer.is === 'refused') throw new Error(answer.refusal.code);
  return answer.report;
}
const refusalOf = async (change: Partial<RevocationOrder>) => {
  const answer = await revoker.orders.order(orderOf(change));
  return answer.is === 'refused' ? answer.refusal.code : 'taken';
};
const proven = async (orderId: string, withinMs?: number) => {
  await world.until(
    async () => (await revoker.orders.report(orderId))?.state === 'proven',
    'the order to be proven',
    withinMs,
  );
  return await revoker.orders.report(orderId);
};
const orderedRecords = (orderId: string) =>
  world.saidOf('revocation.ordered').filter((said) => said.orderId === orderId);
const orderedRecord = (orderId: string) => orderedRecords(orderId)[0];
/** What is told of it, once it is. */
const told = async (orderId: string) => {
  await world.until(() => orderedRecord(orderId) !== undefined, 'the order to be told');
  return orderedRecords(orderId);
};

let idx = 0;
type Change = Partial<EventOf<'lease.intended'>['data']>;
/** A token that is lent. @param change of its intent */
async function lent(taskId: string, change: Change = {}): Promise<Plan> {
  const plan = tokenPlan(taskId, (idx += 1));
  const { agent = AGENT, agentGeneration, lineage = [{ taskId, generation: 1 }] } = change;
  const token = plan.token && { ...plan.token, agent, agentGeneration, lineage };
  const intended = world.intended(taskId, { ...plan, token });
  await world.say({ ...intended, data: { ...intended.data, ...change } });
  await world.say(world.issued(taskId, plan));
  return { ...plan, token };
}
/** A database user that is lent. */
async function userLent(taskId: string): Promise<Plan> {
  const plan = world.target.plan();
  await world.say(world.intended(taskId, plan));
  await world.target.created(plan);
  await world.say(world.issued(taskId, plan));
  return plan;
}
const causeOf = async ({ leaseId }: Plan) => (await world.hears(leaseId, 'lease.access_cut')).cause;

describe('an order about one lease', () => {
  it('cuts it, spares the others of its task, and is proven', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const [plan, other] = [await userLent(taskId), await userLent(taskId)];
    await world.quiet();

    const { orderId, state } = await order({ scope: 'lease', subject: plan.leaseId });

    expect(state).not.toBe('ordered');
    expect(await causeOf(plan)).toBe('operator');
    expect(await proven(orderId)).toMatchObject({
      ...{ scope: 'lease', subject: plan.leaseId, by: NADIA, reason: 'a laptop was stolen', state: 'proven' },
      leases: { found: 1, due: 0, unproven: 0 },
      due: [],
    });
    expect(await world.stateOf(other.leaseId)).toBe('known');
    await world.until(() => world.saidOf('revocation.proven').length > 0, 'the proof to be told');
    const [ordered] = await told(orderId);
    expect(ordered).toMatchObject({ taskId, actor: NADIA, reason: 'a laptop was stolen' });
    expect(world.said(plan.leaseId)[0]).toMatchObject({ type: 'lease.revocation_requested' });
  });

  it('of a lease that is dying of something else reports what becomes of that', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const plan = await lent(taskId);
    await world.quiet();
    await world.endTask(taskId);
    await world.hears(plan.leaseId, 'lease.removed');

    const { orderId } = await order({ scope: 'lease', subject: plan.leaseId });

    expect(await proven(orderId)).toMatchObject({ leases: { found: 1, removed: 1 } });
    expect(world.said(plan.leaseId)).toHaveLength(3);
  });
});

describe('an order about a task', () => {
  it('cuts what it was lent so far, known and heard of later, and spares the generation above', async () => {
    const [taskId, child] = [uuidv7(), uuidv7()];
    await world.startTask(taskId);
    const known = await lent(taskId);
    const below = await lent(child, {
      lineage: [
        { taskId: child, generation: 1 },
        { taskId, generation: 1 },
      ],
    });
    await world.quiet();

    const { orderId } = await order({ scope: 'task', subject: taskId });
    const late = await lent(taskId);
    const anew = await lent(taskId, { generation: 2, lineage: [{ taskId, generation: 2 }] });

    for (const plan of [known, below, late]) expect(await causeOf(plan)).toBe('operator');
    await world.quiet();
    expect(await world.stateOf(anew.leaseId)).toBe('known');
    expect(await proven(orderId)).toMatchObject({ leases: { found: 3 } });
    expect((await told(orderId))[0]).toMatchObject({ taskId, generation: 1, generationBelow: 2 });
    expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 2, reason: 'operator' });
    expect(world.revocation(`lease:${known.leaseId}`)).toBeUndefined();
  });

  it('reaches the generations that the broker had given out and that were not heard of yet', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    await world.quiet();
    const { orderId } = await order({ scope: 'task', subject: taskId });
    const unheard = await lent(taskId, { generation: 4, lineage: [{ taskId, generation: 4 }] });
    await world.quiet();
    const causedBy = (await readOrder(world.db.pool, orderId))?.ceId ?? '';

    await world.say({
      type: 'task.revoked',
      data: { ...brokers(taskId), generation: 5, causedBy, actor: NADIA, orderId, reason: 'stolen' },
    });

    expect(await causeOf(unheard)).toBe('operator');
    expect(await proven(orderId)).toMatchObject({ leases: { found: 1 } });
    expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 5 });
  });
});

describe('an order about an agent', () => {
  it('cuts all that it has, known and heard of later, and tells verifiers its generation', async () => {
    const before = await lent(uuidv7(), { agent: EXECUTOR });
    const foreign = await lent(uuidv7(), { agent: STRANGER });
    await world.quiet();

    const { orderId } = await order({ scope: 'agent', subject: EXECUTOR });
    const after = await lent(uuidv7(), { agent: EXECUTOR });

    for (const plan of [before, after]) expect(await causeOf(plan)).toBe('agent_revoked');
    expect(await proven(orderId)).toMatchObject({ leases: { found: 2 } });
    expect(await world.stateOf(foreign.leaseId)).toBe('known');
    expect(world.revocation(`agent:${EXECUTOR}`)).toMatchObject({
      generationBelow: 1,
      reason: 'agent_revoked',
    });
    expect(world.saidOf('agent.revoked').at(-1)).toMatchObject({
      ...{ agent: EXECUTOR, generationBelow: 1, by: NADIA, actor: NADIA },
    });
    expect(world.looks(after)).toBe('dead');
  });

  it('is taken back by another word: what it gets from then on lives, and nothing of before', async () => {
    await lent(uuidv7(), { agent: PLANNER });
    await world.quiet();
    await proven((await order({ scope: 'agent', subject: PLANNER })).orderId);

    const said = { agent: PLANNER, by: NADIA, reason: 'a new key' };
    const reinstated = await revoker.orders.reinstate(said);
    const again = await revoker.orders.reinstate(said);
    const ofBefore = await lent(uuidv7(), { agent: PLANNER });
    const anew = await lent(uuidv7(), { agent: PLANNER, agentGeneration: 1 });

    expect(reinstated).toEqual({ is: 'taken', agent: PLANNER, agentGeneration: 1, changed: true });
    expect(again).toMatchObject({ changed: false });
    expect(await causeOf(ofBefore)).toBe('agent_revoked');
    await world.quiet();
    expect(await world.stateOf(anew.leaseId)).toBe('known');
    await world.until(() => world.saidOf('agent.reinstated').length > 0, 'the word to be told');

    await order({ scope: 'agent', subject: PLANNER });
    expect(await causeOf(anew)).toBe('agent_revoked');
    await world.until(
      () => world.revocation(`agent:${PLANNER}`)?.['generationBelow'] === 2,
      'the second revocation',
    );
  });
});

describe('an order about a target, and about everything', () => {
  it('cuts what is lent at the target, and what was intended before and is heard of later', async () => {
    const taskId = uuidv7();
    await world.startTask(taskId);
    const [there, elsewhere] = [await lent(taskId), await userLent(taskId)];
    await world.quiet();

    const { orderId } = await order({ scope: 'target', subject: 'orders-api' });
    const late = await lent(taskId, { at: new Date(Date.now() - 60_000).toISOString() });
    const anew = await lent(taskId, { at: new Date(Date.now() + 60_000).toISOString() });

    for (const plan of [there, late]) expect(await causeOf(plan)).toBe('operator');
    expect(await proven(orderId)).toMatchObject({ leases: { found: 2 } });
    for (const plan of [elsewhere, anew]) expect(await world.stateOf(plan.leaseId)).toBe('known');
  });

  it('cuts everything, and what hangs on a target that does not answer is not proven', async () => {
    const plans = [await lent(uuidv7()), await userLent(uuidv7())];
    const stuck = await lent(uuidv7(), { target: 'gone' });
    await world.quiet();

    const { orderId } = await order({ scope: 'all' });
    const late = await lent(uuidv7());

    for (const plan of [...plans, late]) expect(await causeOf(plan)).toBe('operator');
    await world.hears(stuck.leaseId, 'lease.revocation_unproven');
    expect(await revoker.orders.report(orderId)).toMatchObject({
      state: 'cutting',
      leases: { found: 4, due: 1, unproven: 1 },
      due: [{ leaseId: stuck.leaseId, target: 'gone', agent: AGENT, cause: 'operator' }],
    });
    expect(world.saidOf('revocation.proven').some((said) => said.orderId === orderId)).toBe(false);
  });

  it('is not proven while the bus is not read to where it ended', async () => {
    let asked = 0;
    const ends = () => {
      asked += 1;
      return Promise.resolve([{ topic: CREDENTIAL_EVENTS, partition: 0, next: 1_000_000n, oldest: 0n }]);
    };
    revoker.orders.reach({ ends });

    const { orderId } = await order({ scope: 'all' });
    await world.until(() => asked > 0, 'the ends to be asked for');

    expect(await revoker.orders.report(orderId)).toMatchObject({ state: 'checking', leases: { due: 0 } });
  });
});

it('goes on after a kill in the middle of 1,000 leases, and cuts each of them once', async () => {
  const plans: Plan[] = [];
  for (let n = 0; n < 50; n += 1) {
    const taskId = uuidv7();
    for (let m = 0; m < 20; m += 1) plans.push(await lent(taskId));
  }
  await world.quiet(90_000);
  const idle = { instanceId: 'nobody', takes: () => false, turnOf: () => 0 };
  await world.stop();
  const orderId = uuidv7();
  const dead = await deadRevoker();
  await dead.order(orderOf({ orderId }));
  for (let page = 0; page < 4; page += 1) await carryOutPage(world.db, orderId, () => idle, 100);
  const row = await readOrder(world.db.pool, orderId);
  expect(await countLeases(world.db.pool, { orderId, ceId: row?.ceId ?? '' })).toMatchObject({ found: 400 });

  revoker = await world.start();

  expect(await proven(orderId, 90_000)).toMatchObject({
    state: 'proven',
    leases: { found: 1_000, due: 0 },
  });
  const cuts = () => world.saidOf('lease.access_cut').filter(({ causedBy }) => causedBy === row?.ceId);
  await world.until(() => cuts().length >= plans.length, 'the cuts to be told');
  expect(new Set(cuts().map(({ leaseId }) => leaseId)).size).toBe(plans.length);
  expect(cuts()).toHaveLength(plans.length);
}, 180_000);

/** One that takes an order and does nothing more. */
async function deadRevoker() {
  const { parts } = world;
  const desk = new OrderDesk({
    parts: { ...parts, send: () => undefined },
    taker: () => ({ instanceId: 'nobody', takes: () => false, turnOf: () => 0 }),
    after: () => undefined,
  });
  await desk.stop();
  return desk;
}

describe('an order is refused, and that is told', () => {
  it.each<[string, Partial<RevocationOrder>, string]>([
    ['of a person without the role', { by: 'user:olga@corp.example' }, 'ERR_NOT_ENTITLED'],
    ['of a service that has it', { by: 'spiffe://dev.mayfly/operator/dev' }, 'ERR_NOT_ENTITLED'],
    ['about a lease nobody heard of', { scope: 'lease', subject: uuidv7() }, 'ERR_LEASE_UNKNOWN'],
    ['about a task nobody heard of', { scope: 'task', subject: uuidv7() }, 'ERR_TASK_UNKNOWN'],
    [
      'about an agent nobody knows',
      { scope: 'agent', subject: 'spiffe://dev.mayfly/x' },
      'ERR_AGENT_UNKNOWN',
    ],
    ['about a target nobody knows', { scope: 'target', subject: 'nowhere' }, 'ERR_TARGET_UNKNOWN'],
  ])('%s', async (_who, change, code) => {
    const taskId = uuidv7();
    const plan = await lent(taskId);
    await world.quiet();

    expect(await refusalOf(change)).toBe(code);

    await world.until(() => world.saidOf('revocation.order_rejected').at(-1)?.code === code, 'the refusal');
    expect(await world.stateOf(plan.leaseId)).toBe('known');
    const { rows } = await world.db.pool.query('SELECT 1 FROM revocation_order');
    expect(rows).toEqual([]);
  });

  it('where its id was that of another', async () => {
    const { orderId } = await order({ scope: 'all' });

    expect(await refusalOf({ orderId, scope: 'target', subject: 'shop' })).toBe('ERR_ORDER_ID_REUSED');
    expect(await refusalOf({ orderId, scope: 'all', reason: 'said again' })).toBe('taken');
    expect(await told(orderId)).toHaveLength(1);
  });

  it('where an agent is to be reinstated that was never revoked', async () => {
    expect(await revoker.orders.reinstate({ agent: STRANGER, by: NADIA, reason: 'a mistake' })).toMatchObject(
      { is: 'refused', refusal: { code: 'ERR_AGENT_NOT_REVOKED' } },
    );
    expect(
      await revoker.orders.reinstate({ agent: STRANGER, by: 'user:olga@corp.example', reason: 'a mistake' }),
    ).toMatchObject({ is: 'refused', refusal: { code: 'ERR_NOT_ENTITLED' } });
  });
});

it('the same order, taken twice at once, is one', async () => {
  const same = orderOf({ scope: 'target', subject: 'shop' });
  const answers = await Promise.all([revoker.orders.order(same), revoker.orders.order(same)]);

  expect(answers.map(({ is }) => is)).toEqual(['taken', 'taken']);
  await proven(same.orderId);
  expect(await told(same.orderId)).toHaveLength(1);
});

it('works while the bus is away, and says what it did once it is back', async () => {
  const plan = await userLent(uuidv7());
  await world.quiet();
  world.bus.away = true;

  const { orderId } = await order({ scope: 'lease', subject: plan.leaseId });
  await world.until(async () => (await world.stateOf(plan.leaseId)) === 'removed', 'the removal');

  world.bus.away = false;
  await told(orderId);
  await proven(orderId);
});
