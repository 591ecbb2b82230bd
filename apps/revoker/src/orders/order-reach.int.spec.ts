/** What an operator's order reaches, of what is known and of what is heard of later, and what of it is proven. */
import { v7 as uuidv7 } from 'uuid';
import type { RevocationOrder } from '#events/revocation-order.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { Plan } from '#providers/provider.js';
import { AGENT, brokers } from '../broker-voice.contract.js';
import { STRANGER, World } from '../revoker-world.contract.js';
import type { Revoker } from '../revoker.js';
import { readOrder } from './order-rows.js';
import { NADIA, Orders } from './orders.contract.js';

const PLANNER = 'spiffe://dev.mayfly/agent/planner';
/** What verifiers were told of an agent stays: each spec revokes another. */
const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';

let world: World;
let revoker: Revoker;
let orders: Orders;
beforeAll(async () => {
  world = await World.open('rvo');
  orders = new Orders(world, () => revoker);
});
afterAll(() => world.close());
beforeEach(async () => {
  await orders.forget();
  revoker = await world.start();
});
afterEach(() => world.stop());

type Lent = Parameters<Orders['lent']>;
const lent = (...[taskId, change]: Lent) => orders.lent(taskId, change);
const userLent = (taskId: string) => orders.userLent(taskId);
const order = (change: Partial<RevocationOrder>) => orders.order(change);
const proven = (orderId: string) => orders.proven(orderId);
const told = (orderId: string) => orders.told(orderId);

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
