/** An agent that calls the server's tools. Needs `npm start` and the server running. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { AgentError } from '#agent/agent-error.js';
import { HttpTransport } from '#agent/http-transport.js';
import { withTask } from '#agent/with-task.js';
import { runningMayfly } from '../support/running-mayfly.js';

const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';

const service = process.env.MAYFLY_ORDERS_MCP || 'http://127.0.0.1:7081';
const mayfly = await runningMayfly(process.env);
const transport = new HttpTransport({ url: mayfly.broker });
const order = { item: 'paper', quantity: 40 };

const client = await withTask(
  {
    purpose: 'Keep enough paper in stock',
    objective: 'Order paper',
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: EXECUTOR }],
    declared: [{ tool: 'orders.mcp', actions: ['read', 'write'] }],
    deadline: new Date(Date.now() + 60_000),
    risk: 'low',
  },
  async (task) => {
    // begin connect
    let credential = await task.credential({ tool: 'orders.mcp', action: 'read', kind: 'jwt' });
    const client = new Client({ name: 'executor', version: '1.0.0' });
    await client.connect(
      // Each message goes with the credential of the moment, and a proof of its own.
      new StreamableHTTPClientTransport(new URL(`${service}/mcp`), {
        fetch: (url, init) => credential.fetch(url, init),
      }),
    );
    const { tools } = await client.listTools();
    // end connect
    console.log(`tools      ${tools.map(({ name }) => name).join(', ')}`);
    console.log(`list       ${textOf(await client.callTool({ name: 'list_orders' }))}`);
    console.log(`to read    ${await failure(client.callTool({ name: 'place_order', arguments: order }))}`);
    // begin call
    credential = await task.credential({
      tool: 'orders.mcp',
      action: 'write',
      kind: 'jwt',
      arguments: order,
    });
    const placed = await client.callTool({ name: 'place_order', arguments: order });
    // end call
    console.log(`to write   ${textOf(placed)}`);
    const other = { ...order, quantity: 1_000 };
    console.log(`otherwise  ${await failure(client.callTool({ name: 'place_order', arguments: other }))}`);
    return client;
  },
  { transport, identity: mayfly.identity(ORCHESTRATOR), agent: mayfly.identity(EXECUTOR) },
);
console.log(`afterwards ${await failure(client.listTools())}`);
await client.close();

function textOf(result: Awaited<ReturnType<Client['callTool']>>): string {
  const [first] = result.content as { text?: string }[];
  return first?.text ?? '';
}

/** What the server, or our own side, says no with. */
async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof AgentError) return error.code;
    return /ERR_[A-Z_]+/.exec(String(error))?.[0] ?? String(error);
  }
}
