/** The tools of the server, and which action of `orders.mcp` each of them is. A tool that is not in here can neither be called nor seen. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestedAct } from '#verifier/verifier.js';
import { newOrder, type OrderBook } from '../support/order-book.js';

const ACTIONS = { list_orders: 'read', place_order: 'write' } as const;
type ToolName = keyof typeof ACTIONS;

const isTool = (name: unknown): name is ToolName => typeof name === 'string' && Object.hasOwn(ACTIONS, name);

// begin acts
/**
 * What a message is about to do. A call of a tool is one act, with its arguments. Everything else (the handshake, the list of tools)
 * is open to whoever may do anything here.
 */
export function actsOf(message: unknown): RequestedAct[] {
  const { method, params } = message as {
    method?: unknown;
    params?: { name?: unknown; arguments?: unknown };
  };
  if (method === 'tools/call' && isTool(params?.name))
    return [{ tool: 'orders.mcp', action: ACTIONS[params.name], arguments: params.arguments }];
  return [...new Set(Object.values(ACTIONS))].map((action) => ({ tool: 'orders.mcp', action }));
}
// end acts

/** A server for one message, from one agent that has been judged. It gets to know the agent, and never sees the token. */
export function orderServer(orders: OrderBook, agent: string): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' });
  const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] });
  server.registerTool('list_orders' satisfies ToolName, { description: 'All orders' }, () =>
    text(orders.list()),
  );
  server.registerTool(
    'place_order' satisfies ToolName,
    { description: 'Orders an item', inputSchema: newOrder.shape },
    (order) => text(orders.place(order, agent)),
  );
  return server;
}
