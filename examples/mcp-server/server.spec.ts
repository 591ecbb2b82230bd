import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { canonical } from '#events/jcs.js';
import { AGENT, ISSUER } from '../../libs/verifier/src/verifier-world.contract.js';
import { OrderBook } from '../support/order-book.js';
import { startService, tokenFor, type TestedService } from '../support/token-of.contract.js';
import { MCP_PATH, METADATA_PATH, mcpOrders } from './server.js';

const order = { item: 'paper', quantity: 40 };
const argumentsSha256 = createHash('sha256').update(canonical(order)).digest('hex');

describe('an MCP server that takes our tokens', () => {
  let service: TestedService;
  let client: Client;
  beforeEach(async () => {
    service = await startService(
      (verifier, origin) => mcpOrders({ verifier, origin, issuer: ISSUER, orders: new OrderBook() }),
      METADATA_PATH,
    );
    client = new Client({ name: 'executor', version: '1.0.0' });
  });
  afterEach(async () => {
    await client.close();
    await service.close();
  });

  const grant = (...actions: string[]) => tokenFor(service.origin, { tool: 'orders.mcp', actions });
  const connect = async (credential: Awaited<ReturnType<typeof tokenFor>>) => {
    const given = { credential };
    const url = new URL(`${service.origin}${MCP_PATH}`);
    await client.connect(
      new StreamableHTTPClientTransport(url, { fetch: (to, init) => given.credential.fetch(to, init) }),
    );
    return given;
  };

  it('tells who comes without a token where to get one', async () => {
    const refused = await fetch(`${service.origin}${MCP_PATH}`, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(401);
    const [, where = ''] =
      /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? [];
    expect(await (await fetch(where)).json()).toMatchObject({
      resource: service.origin,
      authorization_servers: [ISSUER],
      dpop_bound_access_tokens_required: true,
    });
  });

  it('shows its tools, and lets each be called by who may', async () => {
    await connect(await grant('read'));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['list_orders', 'place_order']);
    const { content } = await client.callTool({ name: 'list_orders' });
    expect(JSON.stringify(content)).toContain('ink');
    await expect(client.callTool({ name: 'place_order', arguments: order })).rejects.toThrow(
      'ERR_ACT_NOT_GRANTED',
    );
  });

  it('does what was decided on, and nothing else', async () => {
    const given = await connect(await grant('write'));
    given.credential = await tokenFor(service.origin, {
      tool: 'orders.mcp',
      actions: ['write'],
      arguments_sha256: argumentsSha256,
    });
    const { content } = await client.callTool({ name: 'place_order', arguments: order });
    expect(JSON.stringify(content)).toContain(AGENT);
    await expect(
      client.callTool({ name: 'place_order', arguments: { ...order, quantity: 1_000 } }),
    ).rejects.toThrow('ERR_ARGUMENTS_MISMATCH');
  });

  it('serves nobody whose task is over', async () => {
    await connect(await grant('read'));
    service.lives = 'dead';
    await expect(client.listTools()).rejects.toThrow('ERR_TOKEN_REVOKED');
  });

  it('knows no tool but its own', async () => {
    await connect(await grant('read'));
    const result = await client.callTool({ name: 'drop_orders' });
    expect(result.isError).toBe(true);
  });

  it('has no ear for a page that gave this machine another name', async () => {
    const asked = request(`${service.origin}${METADATA_PATH}`, { headers: { host: 'evil.example' } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.resume().statusCode).toBe(403);
  });

  it.each([
    ['a page of another origin', { origin: 'https://evil.example' }, '{}', 403],
    ['several messages in one', {}, '[{"jsonrpc":"2.0","method":"ping","id":1}]', 400],
    ['no JSON', {}, 'ping', 400],
  ])('has no ear for %s', async (_what, headers, body, status) => {
    const refused = await fetch(`${service.origin}${MCP_PATH}`, { method: 'POST', headers, body });
    expect(refused.status).toBe(status);
  });
});
