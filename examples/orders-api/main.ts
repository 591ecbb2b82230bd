/** Serves orders until it is told to stop. MAYFLY_ORDERS_API is its own name, and where it listens. */
import { openGuard } from '../support/guard.js';
import { listenAt, untilStopped } from '../support/http.js';
import { OrderBook } from '../support/order-book.js';
import { runningMayfly } from '../support/running-mayfly.js';
import { ordersApi } from './server.js';

const origin = process.env.MAYFLY_ORDERS_API || 'http://127.0.0.1:7080';
const mayfly = await runningMayfly(process.env);
const { verifier, close } = await openGuard(mayfly, {
  name: 'orders-api',
  id: 'spiffe://dev.mayfly/service/orders',
  audience: origin,
});
const server = ordersApi({ verifier, origin, orders: new OrderBook() });
await listenAt(server, origin);
console.log(`orders-api ready at ${origin}`);
await untilStopped(server);
await close();
