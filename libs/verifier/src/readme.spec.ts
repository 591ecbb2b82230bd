/** The snippets of README.md, compiled and run: what is between two marks here stands there, letter by letter. */
import fastify, { type FastifyRequest } from 'fastify';
import { v7 as uuidV7 } from 'uuid';
import { ProofKey } from '#agent/proof-key.js';
import type { OutgoingRecord } from '#bus/bus.js';
import { itShowsCompiledCode } from '../../../test/support/snippets.js';
import { protect, type ExpressRequest, type ExpressResponse } from './express.js';
import { protect as protectFastify } from './fastify.js';
import type { Fetch } from './fetch-document.js';
import { createIntrospection } from './introspection-client.js';
import { IssuerKeys } from './issuer-keys.js';
import { reportUse } from './report-use.js';
import { RevocationFeed } from './revocation-feed.js';
import { FakeLog, FakeRevoker, PEERS as peers } from './revocation-log.contract.js';
import { StatusListSource } from './status-list-source.js';
import { createVerifier, type VerifierOptions } from './verifier.js';
import {
  AGENT,
  AUDIENCE,
  FakeKeys,
  ISSUER,
  LEASE,
  TASK,
  request,
  verifierWith,
} from './verifier-world.contract.js';

type Handler = (request: ExpressRequest, response: ExpressResponse, next: () => void) => unknown;

itShowsCompiledCode('libs/verifier/README.md', 'libs/verifier/src/readme.spec.ts');

const answering =
  (value: object): Fetch =>
  () =>
    Promise.resolve(Response.json(value));
const options: VerifierOptions = {
  issuer: ISSUER,
  audience: AUDIENCE,
  keys: new FakeKeys(),
  life: { lifeOf: () => 'unknown' },
};

it('puts a verifier together', async () => {
  const { fetch } = globalThis;
  globalThis.fetch = answering({ keys: [] }) as typeof fetch;
  const bus = new FakeLog();
  await new FakeRevoker(bus, Date.now).beat();
  try {
    // begin assemble
    const keys = await IssuerKeys.open({ url: 'https://mayfly.example/.well-known/jwks.json' });
    const feed = await RevocationFeed.open({ log: bus, peers });
    const verifier = createVerifier({
      issuer: 'https://mayfly.example',
      audience: 'https://orders.example',
      keys,
      life: feed,
    });
    // end assemble
    await bus.settled();
    expect(feed.know()).toEqual({ knows: true });
    expect(await verifier.check(await request())).toMatchObject({ code: 'ERR_TOKEN_KEY_UNKNOWN' });
    await feed.close();
    keys.close();
    // begin status-list
    const listKeys = await IssuerKeys.open({ url: 'https://revoker.example/.well-known/jwks.json' });
    const life = new StatusListSource({ lists: 'https://revoker.example/status/', keys: listKeys });
    const withoutKafka = createVerifier({ ...options, keys, life });
    // end status-list
    listKeys.close();
    expect(await withoutKafka.check(await request())).toMatchObject({ code: 'ERR_TOKEN_KEY_UNKNOWN' });
  } finally {
    globalThis.fetch = fetch;
  }
});

it('protects a route of Express', async () => {
  const handlers: Handler[] = [];
  const app = { get: (_path: string, ...given: Handler[]) => handlers.push(...given) };
  const verifier = verifierWith();
  // begin express
  app.get(
    '/orders/:id',
    protect({
      verifier,
      origin: 'https://orders.example',
      act: () => ({ tool: 'orders.api', dataset: 'orders', action: 'read' }),
    }),
    (request, response) => response.end(`for ${request.mayfly?.agent}`),
  );
  // end express
  const { authorization, dpop } = await request();
  const asked: ExpressRequest = {
    method: 'GET',
    originalUrl: '/orders/17',
    headers: { authorization, dpop },
  };
  let body = '';
  const response = { status: () => 0, setHeader: () => 0, end: (text: string) => (body = text) };
  await handlers[0]?.(asked, response, () => handlers[1]?.(asked, response, () => undefined));
  expect(body).toBe(`for ${AGENT}`);
});

it('protects a route of Fastify', async () => {
  const server = fastify();
  const verifier = verifierWith();
  // begin fastify
  const reading = protectFastify<FastifyRequest>({
    verifier,
    origin: 'https://orders.example',
    act: () => ({ tool: 'orders.api', dataset: 'orders', action: 'read' }),
  });
  server.get('/orders/:id', { preHandler: reading }, () => ({ id: 17 }));
  // end fastify
  const origin = await server.listen({ port: 0, host: '127.0.0.1' });
  try {
    const { authorization, dpop } = await request();
    const headers = { authorization: String(authorization), dpop: String(dpop) };
    const asked = await fetch(`${origin}/orders/17`, { headers });
    expect(await asked.json()).toEqual({ id: 17 });
    expect((await fetch(`${origin}/orders/17`)).status).toBe(401);
  } finally {
    await server.close();
  }
});

it('checks without a framework', async () => {
  const verifier = verifierWith();
  const body = { order: 17 };
  const serve = async (headers: { authorization?: string; dpop?: string }) => {
    // begin check
    const verdict = await verifier.check({
      method: 'POST',
      url: 'https://orders.example/orders',
      authorization: headers.authorization,
      dpop: headers.dpop,
      tool: 'orders.api',
      dataset: 'orders',
      action: 'write',
      arguments: body,
    });
    if (!verdict.ok) return { status: verdict.httpStatus, code: verdict.code };
    return { status: 200, doneBy: verdict.agent, onBehalfOf: verdict.principal };
    // end check
  };
  expect(await serve({})).toEqual({ status: 401, code: 'ERR_TOKEN_MISSING' });
});

it('asks the broker where it does not know', async () => {
  const svid = (audience: string) => Promise.resolve(`an SVID for ${audience}`);
  // begin unknown
  const introspect = createIntrospection({
    url: 'https://mayfly.example/oauth/introspect',
    authenticate: async () => ({
      parameters: {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
        client_assertion: await svid('https://mayfly.example'),
      },
    }),
  });
  const careful = createVerifier({
    ...options,
    introspect,
    whenUnknown: (action) => (action === 'read' ? 'introspect' : 'refuse'),
  });
  // end unknown
  expect(await careful.check(await request({ authorization: undefined }))).toMatchObject({ ok: false });
});

it('reports a use', async () => {
  const sent: OutgoingRecord[] = [];
  const bus = { publish: (records: OutgoingRecord[]) => Promise.resolve(sent.push(...records)) };
  const key = ProofKey.generate();
  const svid = `x.${Buffer.from('{"sub":"spiffe://corp.example/tool/orders"}').toString('base64url')}.x`;
  const callId = uuidV7();
  const verdict = await verifierWith().check(await request());
  if (!verdict.ok) throw new Error(verdict.code);
  // begin report
  await bus.publish([reportUse(verdict, { callId, outcome: 'ok', rows: 3 }, { svid, key })]);
  // end report
  const [record] = sent;
  expect(JSON.parse(String(record?.value))).toEqual({
    taskId: TASK,
    leaseId: LEASE,
    callId,
    outcome: 'ok',
    rows: 3,
  });
  expect(record?.headers).toMatchObject({
    ce_type: 'dev.mayfly.tool.completed.v1',
    ce_source: 'spiffe://corp.example/tool/orders',
  });
});
