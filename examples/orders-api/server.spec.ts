import { AGENT } from '../../libs/verifier/src/verifier-world.contract.js';
import { OrderBook } from '../support/order-book.js';
import { startService, tokenFor, type TestedService } from '../support/token-of.contract.js';
import { ordersApi } from './server.js';

const access = { tool: 'orders.api', dataset: 'orders' };
const order = { method: 'POST', body: '{"item":"paper","quantity":40}' };

describe('the orders service', () => {
  let service: TestedService;
  beforeEach(async () => {
    service = await startService((verifier, origin) =>
      ordersApi({ verifier, origin, orders: new OrderBook() }),
    );
  });
  afterEach(() => service.close());

  it('shows orders to who may read, and takes none from them', async () => {
    const reader = await tokenFor(service.origin, { ...access, actions: ['read'] });
    expect(await (await reader.fetch(`${service.origin}/orders`)).json()).toHaveLength(2);
    const refused = await reader.fetch(`${service.origin}/orders`, order);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'ERR_ACT_NOT_GRANTED' }),
    ]);
  });

  it('takes an order from who may write, and notes who that was', async () => {
    const writer = await tokenFor(service.origin, { ...access, actions: ['write'] });
    const placed = await writer.fetch(`${service.origin}/orders`, order);
    expect([placed.status, await placed.json()]).toEqual([
      201,
      { id: 3, item: 'paper', quantity: 40, by: AGENT },
    ]);
  });

  it('serves nobody whose task is over', async () => {
    service.lives = 'dead';
    const reader = await tokenFor(service.origin, { ...access, actions: ['read'] });
    expect((await reader.fetch(`${service.origin}/orders`)).status).toBe(401);
  });

  it.each(['no JSON', '{"item":"paper"}', `{"item":"paper","quantity":1,"x":"${'x'.repeat(70_000)}"}`])(
    'takes no order that is none: %.30s',
    async (body) => {
      const writer = await tokenFor(service.origin, { ...access, actions: ['write'] });
      const refused = await writer.fetch(`${service.origin}/orders`, { method: 'POST', body });
      expect(await refused.json()).toEqual({ code: 'ERR_ORDER_INVALID' });
    },
  );

  it('knows no other routes', async () => {
    expect((await fetch(`${service.origin}/orders/1`)).status).toBe(404);
  });
});
