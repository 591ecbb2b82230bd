/** Operators' orders are refused, or taken once and carried out: after a kill, and while the bus is away. */
import { v7 as uuidv7 } from 'uuid';
import type { RevocationOrder } from '#events/revocation-order.js';
import type { Plan } from '#providers/provider.js';
import { STRANGER, World } from '../revoker-world.contract.js';
import type { Revoker } from '../revoker.js';
import { carryOutPage } from './carry-out.js';
import { OrderDesk } from './order-desk.js';
import { countLeases } from './order-report.js';
import { readOrder } from './order-rows.js';
import { NADIA, orderOf, Orders } from './orders.contract.js';

let world: World;
let revoker: Revoker;
let orders: Orders;
beforeAll(async () => {
  world = await World.open('rvu');
  orders = new Orders(world, () => revoker);
});
afterAll(() => world.close());
beforeEach(async () => {
  await orders.forget();
  revoker = await world.start();
});
afterEach(() => world.stop());

const lent = (taskId: string) => orders.lent(taskId);
const userLent = (taskId: string) => orders.userLent(taskId);
const order = (change: Partial<RevocationOrder>) => orders.order(change);
const proven = (orderId: string, withinMs?: number) => orders.proven(orderId, withinMs);
const told = (orderId: string) => orders.told(orderId);
const refusalOf = async (change: Partial<RevocationOrder>) => {
  const answer = await revoker.orders.order(orderOf(change));
  return answer.is === 'refused' ? answer.refusal.code : 'taken';
};

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
