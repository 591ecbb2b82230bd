/**
 * An MCP server over Streamable HTTP, without sessions: every message brings a token and a proof, and is judged by what it is about to
 * do. It is a protected resource in the sense of RFC 9728, and hands no token on to anybody.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { answerTo, checkRequest } from '#verifier/protect.js';
import type { Verdict, Verifier } from '#verifier/verifier.js';
import { readJson, sendJson } from '../support/http.js';
import type { OrderBook } from '../support/order-book.js';
import { actsOf, orderServer } from './tools.js';

export const MCP_PATH = '/mcp';
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

export interface McpOrders {
  verifier: Verifier;
  /** The server's own name in tokens. */
  origin: string;
  /** The broker. */
  issuer: string;
  orders: OrderBook;
}

export function mcpOrders(mcp: McpOrders): Server {
  return createServer((request, response) => {
    serve(mcp, request, response).catch(() => response.destroy());
  });
}

// begin metadata
/** RFC 9728 §2: whose tokens are taken, and how they must be presented. */
export const resourceMetadata = ({ origin, issuer }: Pick<McpOrders, 'origin' | 'issuer'>) => ({
  resource: origin,
  resource_name: 'Orders',
  authorization_servers: [issuer],
  bearer_methods_supported: ['header'],
  authorization_details_types_supported: ['mayfly_tool_access'],
  dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'],
  dpop_bound_access_tokens_required: true,
});
// end metadata

async function serve(mcp: McpOrders, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { origin, orders } = mcp;
  // A page in somebody's browser is no client of ours, whatever name it gave this machine.
  if (request.headers.host !== new URL(origin).host || (request.headers.origin ?? origin) !== origin)
    return sendJson(response, 403, { code: 'ERR_ORIGIN' });
  const { method, url } = request;
  if (method === 'GET' && url === METADATA_PATH) return sendJson(response, 200, resourceMetadata(mcp));
  if (url !== MCP_PATH) return sendJson(response, 404, { code: 'ERR_NOT_FOUND' });
  // There are no sessions, so there is nothing to listen to and nothing to end.
  if (method !== 'POST') return sendJson(response, 405, { code: 'ERR_METHOD' });
  const message = await readJson(request);
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return sendJson(response, 400, { code: 'ERR_MESSAGE_INVALID' });

  const verdict = await judge(mcp, request, message);
  if (!verdict.ok) {
    const { status, headers, problem } = answerTo(verdict);
    response.writeHead(status, headers).end(JSON.stringify(problem));
    return;
  }
  const server = orderServer(orders, verdict.agent);
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.on('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, message);
}

// begin judge
/** The first act that is granted. What was tried before does not use the proof up. */
async function judge(
  { verifier, origin }: McpOrders,
  request: IncomingMessage,
  message: object,
): Promise<Verdict> {
  const verdicts: Verdict[] = [];
  for (const act of actsOf(message)) {
    const verdict = await checkRequest({ verifier, origin, act: () => act }, request, request, MCP_PATH);
    if (verdict.ok) return verdict;
    verdicts.push(verdict);
  }
  return verdicts[0] as Verdict;
}
// end judge
