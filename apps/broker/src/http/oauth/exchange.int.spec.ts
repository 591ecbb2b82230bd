/** Token exchange, against a real database: a call like any other. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { ProofKey } from '#agent/proof-key.js';
import { CREDENTIAL_EVENTS, DELIVERY } from '#events/topics.js';
import { ISSUER, type World } from '../../../test/harness.js';
import type { HttpWorld } from '../../../test/http-world.js';
import {
  claimsOf,
  detailFor,
  dpop,
  OAuthAgent,
  openOAuthWorld,
  orders,
  ORDERS_AUDIENCE,
} from '../../../test/oauth-client.js';
import { ANALYST, inMs, PLANNER } from '../../../test/voices.js';

let http: HttpWorld;
let world: World;
let agent: OAuthAgent;
let taskId: string;
beforeEach(async () => {
  ({ http, world, agent, taskId } = await openOAuthWorld());
});
afterEach(() => http.close());

const verified = (token: unknown) =>
  jwtVerify(String(token), createLocalJWKSet({ keys: [...(http.broker.parts.tokens?.keys.jwks ?? [])] }), {
    ...{ issuer: ISSUER, audience: ORDERS_AUDIENCE, typ: 'at+jwt', algorithms: ['ES256'] },
  });

it('an agent gets a token that is bound to its key, for what it asked and nothing else', async () => {
  const reply = await agent.exchange(taskId, { mayfly_arguments_sha256: 'cd'.repeat(32) });

  expect(reply).toMatchObject({
    status: 200,
    json: {
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'DPoP',
      authorization_details: [{ ...detailFor(taskId), locations: [ORDERS_AUDIENCE] }],
    },
  });
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(reply.json['expires_in']).toBeGreaterThan(250);
  expect(reply.json['expires_in']).toBeLessThanOrEqual(300);
  const { payload } = await verified(reply.json['access_token']);
  expect(payload).toMatchObject({
    sub: 'user:maria@corp.example',
    client_id: ANALYST,
    act: { sub: ANALYST },
    cnf: { jkt: agent.speaker.key.thumbprint },
    arguments_sha256: 'cd'.repeat(32),
  });
});

it('is the call that the bus would have made: decided, intended, issued, and delivered nowhere else', async () => {
  const callId = uuidv7();
  const reply = await agent.exchange(taskId, { mayfly_call_id: callId });
  await world.quiet();

  expect(world.typesOf(taskId)).toEqual(['task.accepted', 'call.decided', 'lease.intended', 'lease.issued']);
  const [decided] = world.events(taskId, 'call.decided');
  expect(decided).toMatchObject({ callId, agent: ANALYST, proofKey: agent.speaker.key.thumbprint });
  expect(world.events(taskId, 'lease.issued')[0]?.leaseId).toBe(claimsOf(reply.json['access_token'])['jti']);
  expect(world.delivered(taskId)).toEqual([]);
});

it('leaves neither token, assertion nor proof anywhere: not in a table, a record or a log', async () => {
  const reply = await agent.exchange(taskId);
  await agent.exchange(taskId, { authorization_details: JSON.stringify([detailFor(uuidv7())]) });
  await world.quiet();

  const names = await world.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
  );
  const rows = await Promise.all(
    names.map(({ name }) => world.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`)),
  );
  const records = [CREDENTIAL_EVENTS, DELIVERY, 'broker.mayfly.task.events.v1.dlq']
    .flatMap((topic) => world.bus.records(topic))
    .map(({ value, headers }) => `${value?.toString()} ${JSON.stringify(headers)}`);
  const everything = [...rows.flat().map(({ row }) => row), ...records, ...world.logged].join('\n');

  expect(everything).toContain(taskId);
  for (const secret of [String(reply.json['access_token']), agent.speaker.svid])
    for (const part of secret.split('.').slice(1)) expect(everything).not.toContain(part);
});

it('the same key may ask again with the same assertion, as its cache gives it out', async () => {
  const [first, second] = [await agent.exchange(taskId), await agent.exchange(taskId)];

  expect([first.status, second.status]).toEqual([200, 200]);
  expect(first.json['access_token']).not.toBe(second.json['access_token']);
});

it('an assertion is of no use with another key than it came with first, at any broker', async () => {
  await agent.exchange(taskId);
  const thief = await OAuthAgent.of(
    world,
    await http.door(await world.start({}), { isPrivate: () => true }),
    {
      ...agent.speaker,
      key: ProofKey.generate(),
    },
  );

  expect(await thief.exchange(taskId)).toMatchObject({
    status: 401,
    json: { error: 'invalid_client', mayfly_code: 'ERR_ASSERTION_OF_OTHER_KEY' },
  });
});

it('the key of an agent in a task is one, whichever way it asks', async () => {
  await http.broker.hear(await world.voices.calls(taskId));
  await world.hears(taskId, 'lease.issued');

  expect(await agent.exchange(taskId)).toMatchObject({
    status: 400,
    json: { error: 'invalid_grant', mayfly_code: 'ERR_KEY_CHANGED' },
  });
});

it('a proof counts once, at all brokers, and when two requests bring it at once', async () => {
  await agent.send(taskId);
  const proof = dpop(agent.speaker.key, agent.nonce);
  const replies = await Promise.all([1, 2, 3].map(() => agent.post(agent.form(taskId), proof)));
  const other = await OAuthAgent.of(
    world,
    await http.door(await world.start({}), { isPrivate: () => true }),
    agent.speaker,
  );
  replies.push(await other.post(other.form(taskId), proof));

  expect(replies.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
  expect(replies.at(-1)?.json).toMatchObject({
    error: 'invalid_dpop_proof',
    mayfly_code: 'ERR_DPOP_REPLAYED',
  });
});

it('who has no nonce is told one, and has used nothing up', async () => {
  const reply = await agent.send(taskId);

  expect(reply).toMatchObject({
    status: 400,
    json: { error: 'use_dpop_nonce', mayfly_code: 'ERR_DPOP_NONCE' },
  });
  expect(reply.headers.get('dpop-nonce')).toMatch(/^[\w-]{43}$/);
  expect(await world.query('SELECT 1 FROM used_proof')).toEqual([]);
  expect((await agent.send(taskId)).status).toBe(200);
});

it('the nonce of one broker is good at another', async () => {
  await agent.send(taskId);
  const other = await http.door(await world.start({}), { isPrivate: () => true });
  const there = await OAuthAgent.of(world, other, agent.speaker);
  expect((await there.post(agent.form(taskId), dpop(agent.speaker.key, agent.nonce))).status).toBe(200);
});

it('an outcome that does not come in time is to be asked for again, as another call', async () => {
  world.bus.hold();
  const impatient = await http.door(http.broker, { isPrivate: () => true, answerWithinMs: 200 });
  const waiting = await OAuthAgent.of(world, impatient, agent.speaker);
  expect(await waiting.exchange(taskId)).toMatchObject({
    status: 504,
    json: { error: 'temporarily_unavailable', mayfly_code: 'ERR_ANSWER_PENDING' },
  });
});

it('no token is told on a way that others can read', async () => {
  const open = await OAuthAgent.of(world, await http.door(), agent.speaker);
  expect(await open.exchange(taskId)).toMatchObject({
    status: 400,
    json: { error: 'invalid_request', mayfly_code: 'ERR_TLS_REQUIRED' },
  });
});

it('a child’s token names the agent of the parent that started it, inside', async () => {
  const parent = await http.startedTask({
    agents: [{ id: PLANNER }, { id: ANALYST }],
    declared: [orders],
    delegable: [orders],
  });
  const child = uuidv7();
  await http.broker.hear(
    await world.voices.starts(
      child,
      { declared: [orders], parent: { taskId: parent }, deadline: inMs(60_000) },
      PLANNER,
    ),
  );
  const reply = await agent.exchange(child);

  expect(claimsOf(reply.json['access_token'])['act']).toEqual({ sub: ANALYST, act: { sub: PLANNER } });
});
