/** A call for a token, from the bus to the envelope that its agent opens. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { openEnvelope, type OpenedJwt } from '#agent/open-envelope.js';
import type { ToolCalled } from '#events/inbound.js';
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import { CREDENTIAL_EVENTS, DELIVERY } from '#events/topics.js';
import { ISSUER, STATUS_LISTS, World, type BrokerProcess } from '../../test/harness.js';
import { ANALYST, called, inMs, PLANNER, sealKey } from '../../test/voices.js';

const ORDERS = 'http://127.0.0.1:7080';
const orders = { tool: 'orders.api', dataset: 'orders', actions: ['read', 'write'] };
const asked = { tool: 'orders.api', dataset: 'orders' };
let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start({});
});
afterEach(() => world.close());

async function startedTask(change = {}): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, { declared: [orders], ...change }));
  return taskId;
}
const says = async (call: ToolCalled, by = ANALYST) =>
  broker.hear(await world.voices.says(by, 'tool.called', call));

async function opened(call: ToolCalled): Promise<OpenedJwt> {
  const [envelope] = await world.delivers(call.taskId, CREDENTIAL_DELIVERED);
  const credential = await openEnvelope(envelope?.jwe ?? '', sealKey, { ...call, agent: ANALYST });
  if (credential.kind !== 'jwt') throw new Error('no token came');
  return credential;
}
const verified = (token: string) =>
  jwtVerify(token, createLocalJWKSet({ keys: [...(broker.parts.tokens?.keys.jwks ?? [])] }), {
    ...{ issuer: ISSUER, audience: ORDERS, typ: 'at+jwt', algorithms: ['ES256'] },
  });

it('is answered with a token that the published keys verify, for its agent’s key alone', async () => {
  const taskId = await startedTask();
  const call = called(taskId, { ...asked, ttlMs: 60_000, argumentsSha256: 'cd'.repeat(32) });
  await says(call);

  const credential = await opened(call);
  const { payload, protectedHeader } = await verified(credential.token.reveal());

  const [issued] = world.events(taskId, 'lease.issued');
  const { key } = await world.voices.as(ANALYST);
  expect(credential).toMatchObject({ dpop: true, leaseId: issued?.leaseId, notAfter: issued?.notAfter });
  expect(issued?.incarnation).toBe(protectedHeader.kid);
  expect(payload).toMatchObject({
    sub: 'user:maria@corp.example',
    client_id: ANALYST,
    jti: issued?.leaseId,
    exp: Math.floor(Date.parse(issued?.notAfter ?? '') / 1_000),
    cnf: { jkt: key.thumbprint },
    act: { sub: ANALYST },
    lineage: [{ taskId, generation: 1 }],
    arguments_sha256: 'cd'.repeat(32),
    authorization_details: [{ tool: 'orders.api', dataset: 'orders', actions: ['read'], task: taskId }],
  });
});

it('says in its intent all that the token says, before it is made', async () => {
  const taskId = await startedTask();
  const call = called(taskId, asked);
  await says(call);

  const { payload } = await verified((await opened(call)).token.reveal());
  const [intended] = world.events(taskId, 'lease.intended');
  expect(intended).toMatchObject({ provider: 'jwt', target: 'orders-api', principal: intended?.leaseId });
  expect(payload['status']).toEqual({ status_list: intended?.token?.status });
  expect(intended?.token).toMatchObject({
    audience: ORDERS,
    subject: payload.sub,
    agent: payload['client_id'],
    act: payload['act'],
    lineage: payload['lineage'],
  });
  expect(intended?.token?.status?.uri).toBe(`${STATUS_LISTS}/0`);
});

it('gives a token through the agent of the parent task that started the child', async () => {
  const parent = await startedTask({ agents: [{ id: PLANNER }, { id: ANALYST }], delegable: [orders] });
  const taskId = uuidv7();
  await broker.hear(
    await world.voices.starts(
      taskId,
      { declared: [orders], parent: { taskId: parent }, deadline: inMs(60_000) },
      PLANNER,
    ),
  );
  const call = called(taskId, asked);
  await says(call);

  const { payload } = await verified((await opened(call)).token.reveal());
  expect(payload['act']).toEqual({ sub: ANALYST, act: { sub: PLANNER } });
  expect(payload['lineage']).toEqual([
    { taskId, generation: 1 },
    { taskId: parent, generation: 1 },
  ]);
});

it('gives nobody a token for what the policy does not permit', async () => {
  const taskId = await startedTask();
  await says(called(taskId, { ...asked, action: 'write' }));

  const [refused] = await world.delivers(taskId, 'call.refused');
  expect(refused?.data['code']).toBe('ERR_TOOL_FORBIDDEN');
  expect(world.events(taskId, 'lease.intended')).toEqual([]);
});

it('leaves the token and the private key nowhere: not in a table, a record or a log', async () => {
  const taskId = await startedTask();
  const call = called(taskId, asked);
  await says(call);
  const token = (await opened(call)).token.reveal();
  await world.quiet();

  const tables = await world.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
  );
  const rows = await Promise.all(
    tables.map(({ name }) => world.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`)),
  );
  const records = [CREDENTIAL_EVENTS, DELIVERY]
    .flatMap((topic) => world.bus.records(topic))
    .map(({ value }) => value?.toString() ?? '');
  const everything = [...rows.flat().map(({ row }) => row), ...records, ...world.logged].join('\n');

  expect(everything).toContain(broker.parts.tokens?.keys.jwks[0]?.kid);
  for (const part of token.split('.').slice(1)) expect(everything).not.toContain(part);
  // What every private key in PKCS #8 on this curve begins with.
  expect(everything).not.toContain('308187020100301306072a8648ce3d0201');
});

it('is refused where no tokens are made, and its agent is told', async () => {
  broker = await world.start();
  const taskId = await startedTask();
  await says(called(taskId, asked));

  const [refused] = await world.delivers(taskId, 'call.refused');
  expect(refused?.data['code']).toBe('ERR_TARGET_REFUSED');
  expect(world.logged.join('')).toContain('this process signs no tokens');
});
