/** The adapters, each with a server of its kind. Express is what Nest runs on here. */
import { Controller, Get, Post, Req, UseGuards, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { AddressInfo } from 'node:net';
import { protect as protectExpress, type ExpressRequest } from './express.js';
import { protect as protectFastify } from './fastify.js';
import { MayflyGuard, type NestRequest } from './nest.guard.js';
import type { Accepted, RequestedAct } from './verifier.js';
import { AGENT, AUDIENCE, LEASE, accessToken, dpop, verifierWith } from './verifier-world.contract.js';

const settings = (
  act: () => RequestedAct = () => ({ tool: 'orders.api', dataset: 'orders', action: 'read' }),
) => ({
  verifier: verifierWith(),
  origin: AUDIENCE,
  act,
});
const headers = async (over: Record<string, unknown> = {}) => {
  const token = await accessToken();
  return { authorization: `DPoP ${token}`, dpop: await dpop(token, over) };
};

@Controller('orders')
class Orders {
  @Get(':id')
  @UseGuards(new MayflyGuard(settings()))
  read(@Req() request: NestRequest) {
    return { agent: request.mayfly?.agent, lease: request.mayfly?.lease };
  }

  @Post(':id')
  @UseGuards(new MayflyGuard(settings(() => ({ tool: 'orders.api', dataset: 'orders', action: 'delete' }))))
  remove() {
    return { removed: true };
  }
}

let app: INestApplication;
let origin: string;
beforeAll(async () => {
  const module = await Test.createTestingModule({ controllers: [Orders] }).compile();
  app = module.createNestApplication({ logger: false });
  app.use('/plain', protectExpress(settings()));
  app.use('/plain', ({ mayfly }: ExpressRequest, response: { end(body: string): void }) =>
    response.end(mayfly?.agent ?? 'nobody'),
  );
  app.use(
    '/broken',
    protectExpress(
      settings(() => {
        throw new Error('no such order');
      }),
    ),
  );
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => app.close());

const PROBLEM = {
  type: 'about:blank',
  title: 'the request brings no token',
  status: 401,
  code: 'ERR_TOKEN_MISSING',
};

describe('Nest', () => {
  it('lets a request through, and tells the handler who acts', async () => {
    const response = await fetch(`${origin}/orders/17?full=1`, { headers: await headers() });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ agent: AGENT, lease: LEASE });
  });

  it('answers a refused one with a challenge and a problem', async () => {
    const response = await fetch(`${origin}/orders/17`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('DPoP algs="ES256 Ed25519 EdDSA"');
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual(PROBLEM);
  });

  it('does not run the handler of an act that is not granted', async () => {
    const response = await fetch(`${origin}/orders/17`, {
      method: 'POST',
      headers: await headers({ htm: 'POST' }),
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'ERR_ACT_NOT_GRANTED' });
  });

  it('takes the host from its settings, not from the request', async () => {
    const response = await fetch(`${origin}/orders/17`, {
      headers: await headers({ htu: `${origin}/orders/17` }),
    });
    expect(await response.json()).toMatchObject({ code: 'ERR_DPOP_URL' });
  });
});

describe('Express', () => {
  it('lets a request through, by the URL as it came', async () => {
    const response = await fetch(`${origin}/plain/17`, {
      headers: await headers({ htu: `${AUDIENCE}/plain/17` }),
    });
    expect(await response.text()).toBe(AGENT);
  });

  it('answers a refused one, and goes no further', async () => {
    const response = await fetch(`${origin}/plain/17`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('DPoP ');
    expect(await response.json()).toEqual(PROBLEM);
  });

  it('refuses two proofs in two headers', async () => {
    const { authorization, dpop: proof } = await headers();
    const response = await fetch(`${origin}/plain/17`, {
      headers: [
        ['authorization', authorization],
        ['dpop', proof],
        ['dpop', proof],
      ],
    });
    expect(await response.json()).toMatchObject({ status: 401, code: 'ERR_DPOP_MALFORMED' });
  });

  it('hands on what went wrong in the service, and lets nothing through', async () => {
    const response = await fetch(`${origin}/broken/17`, { headers: await headers() });
    expect(response.status).toBe(500);
  });
});

describe('Fastify', () => {
  type Checked = FastifyRequest & { mayfly?: Accepted };
  let server: FastifyInstance;
  let base: string;
  let handled: number;
  beforeEach(async () => {
    handled = 0;
    server = fastify();
    const tell = ({ mayfly }: Checked) => {
      handled += 1;
      return { agent: mayfly?.agent, lease: mayfly?.lease };
    };
    server.get('/orders/:id', { preHandler: protectFastify<FastifyRequest>(settings()) }, tell);
    // As the body says.
    const act = ({ body }: FastifyRequest) => ({
      ...{ tool: 'orders.api', dataset: 'orders' },
      action: (body as { action: string }).action,
    });
    const byBody = protectFastify<FastifyRequest>({ ...settings(), act });
    server.post('/orders/:id', { preHandler: byBody }, tell);
    const broken = settings(() => {
      throw new Error('no such order');
    });
    server.get('/broken', { preHandler: protectFastify<FastifyRequest>(broken) }, tell);
    base = await server.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => server.close());

  it('lets a request through, and tells the handler who acts', async () => {
    const response = await fetch(`${base}/orders/17?full=1`, { headers: await headers() });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ agent: AGENT, lease: LEASE });
  });

  it('answers a refused one with a challenge and a problem, and runs no handler', async () => {
    const response = await fetch(`${base}/orders/17`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('DPoP algs="ES256 Ed25519 EdDSA"');
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toEqual(PROBLEM);
    expect(handled).toBe(0);
  });

  it('sees the body as the server has parsed it', async () => {
    const ask = async (body: object) =>
      await fetch(`${base}/orders/17`, {
        method: 'POST',
        headers: { ...(await headers({ htm: 'POST' })), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await ask({ action: 'read' })).status).toBe(200);
    expect(await (await ask({ action: 'delete' })).json()).toMatchObject({ code: 'ERR_ACT_NOT_GRANTED' });
    expect(handled).toBe(1);
  });

  it('hands on what went wrong in the service, and lets nothing through', async () => {
    const response = await fetch(`${base}/broken`, { headers: await headers() });
    expect(response.status).toBe(500);
    expect(handled).toBe(0);
  });
});

it('says when to come back where it is not known whether a lease lives', async () => {
  const answer = { status: 0, headers: {} as Record<string, string> };
  const response = {
    status: (code: number) => (answer.status = code),
    setHeader: (name: string, value: string) => (answer.headers[name] = value),
    end: () => undefined,
  };
  const request = { method: 'GET', originalUrl: '/orders/17', headers: await headers() };
  const unknown = { ...settings(), verifier: verifierWith({ lives: 'unknown' }) };
  await protectExpress(unknown)(request, response, () => undefined);
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
});
