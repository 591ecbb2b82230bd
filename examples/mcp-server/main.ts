/** Serves MCP until it is told to stop. MAYFLY_ORDERS_MCP is its own name, and where it listens. */
import { openGuard } from '../support/guard.js';
import { listenAt, untilStopped } from '../support/http.js';
import { OrderBook } from '../support/order-book.js';
import { runningMayfly } from '../support/running-mayfly.js';
import { mcpOrders, METADATA_PATH, MCP_PATH } from './server.js';

const origin = process.env.MAYFLY_ORDERS_MCP || 'http://127.0.0.1:7081';
const mayfly = await runningMayfly(process.env);
const { verifier, close } = await openGuard(mayfly, {
  name: 'orders-mcp',
  id: 'spiffe://dev.mayfly/service/orders-mcp',
  audience: origin,
  resourceMetadata: `${origin}${METADATA_PATH}`,
});
const server = mcpOrders({ verifier, origin, issuer: mayfly.broker, orders: new OrderBook() });
await listenAt(server, origin);
console.log(`mcp-server ready at ${origin}${MCP_PATH}`);
await untilStopped(server);
await close();
