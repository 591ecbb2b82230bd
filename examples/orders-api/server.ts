/** A service with two routes: GET /orders reads, POST /orders writes. Each request is judged before it is served. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answerTo, checkRequest } from '#verifier/protect.js';
import type { RequestedAct, Verifier } from '#verifier/verifier.js';
import { readJson, sendJson } from '../support/http.js';
import { newOrder, type OrderBook } from '../support/order-book.js';

export interface OrdersApi {
  verifier: Verifier;
  /** Scheme and host as clients know them. */
  origin: string;
  orders: OrderBook;
}

export function ordersApi(api: OrdersApi): Server {
  return createServer((request, response) => {
    serve(api, request, response).catch(() => response.destroy());
  });
}

// begin act
/** What a request is about to do, from its route: never from what the client says that it does. */
function actOf(request: IncomingMessage, body: unknown): RequestedAct | undefined {
  const act = { tool: 'orders.api', dataset: 'orders' };
  switch (`${request.method} ${request.url}`) {
    case 'GET /orders':
      return { ...act, action: 'read' };
    case 'POST /orders':
      return { ...act, action: 'write', arguments: body };
    default:
      return undefined;
  }
}
// end act

async function serve(api: OrdersApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { verifier, origin, orders } = api;
  const body = request.method === 'POST' ? await readJson(request) : undefined;
  const act = actOf(request, body);
  if (act === undefined) return sendJson(response, 404, { code: 'ERR_NOT_FOUND' });
  // begin judge
  const verdict = await checkRequest(
    { verifier, origin, act: () => act },
    request,
    request,
    request.url ?? '',
  );
  if (!verdict.ok) {
    const { status, headers, problem } = answerTo(verdict);
    response.writeHead(status, headers).end(JSON.stringify(problem));
    return;
  }
  // end judge
  if (act.action === 'read') return sendJson(response, 200, orders.list());
  const order = newOrder.safeParse(body);
  if (!order.success) return sendJson(response, 422, { code: 'ERR_ORDER_INVALID' });
  sendJson(response, 201, orders.place(order.data, verdict.agent));
}
