/** Introspection and revocation: what is said of a token, to whom, and what its agent can do about it. */
import type { Bus } from '#bus/bus.js';
import { ISSUER, type World } from '../../../test/harness.js';
import { answered, type Door, type HttpWorld } from '../../../test/http-world.js';
import {
  claimsOf,
  detailFor,
  OAuthAgent,
  openOAuthWorld,
  ORDERS_AUDIENCE,
} from '../../../test/oauth-client.js';
import { ANALYST, PLANNER } from '../../../test/voices.js';
import type { Life, VerifiedToken } from '#verifier/life.js';
import { ToldLives } from './told-lives.js';

const TOOL = 'spiffe://dev.mayfly/service/orders';
let http: HttpWorld;
let world: World;
let agent: OAuthAgent;
let taskId: string;
let door: Door;
let token: string;
let life: Life;
const asked: VerifiedToken[] = [];
beforeEach(async () => {
  ({ http, world, agent, taskId } = await openOAuthWorld());
  life = 'live';
  asked.length = 0;
  const lives = { lifeOf: (of: VerifiedToken) => (asked.push(of), life) };
  door = await http.door(http.broker, { isPrivate: () => true, lives });
  http.broker.parts.catalogue.tools.get('orders.api')?.verifiers.push(TOOL);
  token = String((await agent.exchange(taskId)).json['access_token']);
  agent = await OAuthAgent.of(world, door, agent.speaker);
});
afterEach(() => http.close());

const NOTHING = { active: false };
const said = async (by: OAuthAgent, of = token) => (await by.introspect(of)).json;

it('the agent hears all that its token says, and that it lives', async () => {
  const reply = await agent.introspect(token);

  expect(reply.status).toBe(200);
  expect(reply.headers.get('cache-control')).toBe('no-store');
  const { status: _status, ...claims } = claimsOf(token);
  expect(reply.json).toEqual({ active: true, token_type: 'DPoP', ...claims });
  expect(reply.json).toMatchObject({
    act: { sub: ANALYST },
    cnf: { jkt: agent.speaker.key.thumbprint },
    authorization_details: [{ ...detailFor(taskId), locations: [ORDERS_AUDIENCE] }],
  });
  expect(asked[0]).toMatchObject({ claims: { client_id: ANALYST }, kid: expect.any(String) as string });
});

it('the tool that takes the token hears it too, by assertion or by a plain bearer SVID', async () => {
  expect(await said(await OAuthAgent.of(world, door, TOOL))).toMatchObject({
    active: true,
    aud: ORDERS_AUDIENCE,
  });
  const { svid } = await world.voices.newly(TOOL, { audience: 'mayfly' });
  const reply = await fetch(`${door.url}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${svid}` },
    body: new URLSearchParams({ token }),
  });
  expect(await answered(reply)).toMatchObject({ status: 200, json: { active: true } });
});

it.each(['dead', 'unknown'] as const)('of a token that is %s nothing is said but that', async (now) => {
  life = now;
  expect(await said(agent)).toEqual(NOTHING);
});

it('anybody else hears the same as of a token that never was', async () => {
  expect(await said(await OAuthAgent.of(world, door, PLANNER))).toEqual(NOTHING);
  expect(await said(agent, 'never.was.one')).toEqual(NOTHING);
  expect(await said(agent, `${token.slice(0, -4)}AAAA`)).toEqual(NOTHING);
  expect(await said(agent, agent.speaker.svid)).toEqual(NOTHING);
  expect(await said(agent, 'x'.repeat(9_000))).toEqual(NOTHING);
});

it.each([
  ['nobody', { client_assertion: undefined }, 'ERR_CLIENT_MISSING'],
  ['a forger', { client_assertion: 'e30.e30.AAAA' }, 'ERR_SVID_INVALID'],
])('%s hears nothing', async (_who, change, code) => {
  expect(await agent.introspect(token, change)).toMatchObject({
    status: 401,
    json: { error: 'invalid_client', mayfly_code: code },
  });
});

it('a question without a token is none', async () => {
  expect(await agent.introspect('')).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
});

it('while nothing is heard of the revoker, no token is said to live', async () => {
  const lives = new ToldLives();
  const there = await OAuthAgent.of(
    world,
    await http.door(http.broker, { isPrivate: () => true, lives }),
    agent.speaker,
  );
  expect(await said(there)).toEqual(NOTHING);
  const log = world.bus as unknown as Bus;
  lives.begin({ log, peers: http.broker.parts.peers });
  expect(await said(there)).toEqual(NOTHING);
  await lives.close();
});

describe('revocation', () => {
  it('an agent gives its token back: it is told once, and the revoker cuts', async () => {
    expect(await agent.revoke(token)).toMatchObject({ status: 200, json: {} });
    expect((await agent.revoke(token)).status).toBe(200);
    await world.quiet();

    const leaseId = claimsOf(token)['jti'];
    expect(world.events(taskId, 'lease.returned')).toEqual([
      expect.objectContaining({ leaseId, agent: ANALYST, taskId }) as unknown,
    ]);
  });

  it('nobody else can', async () => {
    const planner = await OAuthAgent.of(world, door, PLANNER);
    expect(await planner.revoke(token)).toMatchObject({
      status: 400,
      json: { error: 'unauthorized_client', mayfly_code: 'ERR_TOKEN_OF_OTHER_CLIENT' },
    });
    expect((await agent.revoke(token, { client_assertion: undefined })).status).toBe(401);
    await world.quiet();
    expect(world.events(taskId, 'lease.returned')).toEqual([]);
  });

  it.each(['never.was.one', 'x'])('a token that never was (%s) is as good as revoked', async (text) => {
    expect((await agent.revoke(text)).status).toBe(200);
  });
});

it('what a client can know is public', async () => {
  const reply = await answered(await fetch(`${door.url}/.well-known/oauth-authorization-server`));

  expect(reply.json).toEqual({
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/oauth/token`,
    introspection_endpoint: `${ISSUER}/oauth/introspect`,
    revocation_endpoint: `${ISSUER}/oauth/revoke`,
    jwks_uri: `${ISSUER}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    token_endpoint_auth_methods_supported: ['spiffe_jwt', 'private_key_jwt'],
    introspection_endpoint_auth_methods_supported: ['spiffe_jwt', 'private_key_jwt'],
    revocation_endpoint_auth_methods_supported: ['spiffe_jwt', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'RS256']) as unknown,
    introspection_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256']) as unknown,
    revocation_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256']) as unknown,
    dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'],
    authorization_details_types_supported: ['mayfly_tool_access'],
  });
  expect(reply.headers.get('cache-control')).toBe('public, max-age=300');
});

it('a broker that makes no tokens has no such endpoints', async () => {
  const other = await http.door(await world.start());
  expect((await fetch(`${other.url}/.well-known/oauth-authorization-server`)).status).toBe(404);
  expect((await fetch(`${other.url}/oauth/token`, { method: 'POST' })).status).toBe(404);
});
