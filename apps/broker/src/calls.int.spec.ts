import { v7 as uuidv7 } from 'uuid';
import { openEnvelope } from '#agent/open-envelope.js';
import type { ToolCalled } from '#events/inbound.js';
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import { deadLetterTopic, CREDENTIAL_EVENTS, DELIVERY, TASK_EVENTS } from '#events/topics.js';
import { PASSWORD } from '../test/fake-target.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, called, ORCHESTRATOR, sealKey } from '../test/voices.js';
import { endOverdue } from './end-overdue.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

async function startedTask(): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId));
  return taskId;
}
const says = async (call: ToolCalled) => {
  await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
};

describe('a permitted call', () => {
  it('is answered with an envelope that its agent opens', async () => {
    const taskId = await startedTask();
    const call = called(taskId, { ttlMs: 60_000 });
    await says(call);

    const [envelope] = await world.delivers(taskId, CREDENTIAL_DELIVERED);
    const credential = await openEnvelope(envelope?.jwe ?? '', sealKey, { ...call, agent: ANALYST });

    const [issued] = world.events(taskId, 'lease.issued');
    expect(credential).toMatchObject({
      kind: 'postgres',
      leaseId: issued?.leaseId,
      notAfter: issued?.notAfter,
      connection: { host: '127.0.0.1', user: `fake_${issued?.leaseId}`, tls: { mode: 'disable' } },
    });
    expect(credential.kind === 'postgres' && credential.connection.password.reveal()).toBe(PASSWORD);
  });

  it('says the whole plan before it is carried out', async () => {
    const taskId = await startedTask();
    await says(called(taskId, { ttlMs: 60_000 }));

    const [intended] = await world.hears(taskId, 'lease.intended');
    const [decided] = world.events(taskId, 'call.decided');
    expect(intended).toMatchObject({
      leaseId: decided?.leaseId,
      agent: ANALYST,
      actor: '//mayfly/broker',
      tenant: 'sample',
      provider: 'postgres',
      target: 'shop',
      principal: `fake_${intended?.leaseId}`,
      rights: ['pol_crm_orders_read'],
      lineage: [{ taskId, generation: 1 }],
    });
    const atMs = Date.parse(intended?.at ?? '');
    expect(Date.parse(intended?.createBy ?? '') - atMs).toBe(10_000);
    expect(Date.parse(intended?.notAfter ?? '') - atMs).toBe(60_000);
  });

  it('leaves the secret nowhere: not in a table, a record, a dead letter or a log', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    await says(call);
    const [envelope] = await world.delivers(taskId, CREDENTIAL_DELIVERED);
    const leaseId = world.target.creates[0] ?? '';
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'task_ended'));
    await says(call);
    await world.delivers(taskId, 'call.refused');

    const tables = await world.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
    );
    const rows = await Promise.all(
      tables.map(({ name }) => world.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`)),
    );
    const records = [CREDENTIAL_EVENTS, DELIVERY, deadLetterTopic('broker', TASK_EVENTS)]
      .flatMap((topic) => world.bus.records(topic))
      .map(({ key, value, headers }) => `${key?.toString()} ${value?.toString()} ${headersText(headers)}`);
    const everything = [...rows.flat().map(({ row }) => row), ...records, ...world.logged].join('\n');

    expect(tables.length).toBeGreaterThan(8);
    expect(everything).toContain(envelope?.jwe);
    expect(everything).toContain(leaseId);
    for (const shape of ['utf8', 'base64', 'base64url', 'hex'] as const)
      expect(everything).not.toContain(Buffer.from(PASSWORD).toString(shape));
  });
});

const headersText = (headers: object) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join('\n');

describe('the same call asked again', () => {
  it('gets the same bytes, and no second credential', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    await says(call);
    await world.delivers(taskId, CREDENTIAL_DELIVERED);

    await says(call);

    const [first, second] = await world.delivers(taskId, CREDENTIAL_DELIVERED, 2);
    expect(second?.jwe).toBe(first?.jwe);
    expect(world.events(taskId, 'call.decided')).toHaveLength(1);
    expect(world.target.creates).toHaveLength(1);
  });

  it('gets one answer when its outcome is not known yet', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    world.target.hang();
    await says(call);
    await says(call);

    world.target.answerAll();
    await world.delivers(taskId, CREDENTIAL_DELIVERED);
    await world.quiet();

    expect(world.delivered(taskId)).toHaveLength(1);
    expect(world.target.creates).toHaveLength(1);
  });

  it('gets the same refusal', async () => {
    const taskId = await startedTask();
    const call = called(taskId, { dataset: 'hr.salaries' });
    await says(call);
    await says(call);

    const [first, second] = await world.delivers(taskId, 'call.refused', 2);
    expect(second?.data).toEqual(first?.data);
    expect(world.events(taskId, 'call.decided')).toHaveLength(1);
  });

  it('is told that its lease has ended, once the revoker has gone for it', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    await says(call);
    await world.delivers(taskId, CREDENTIAL_DELIVERED);
    const leaseId = world.target.creates[0] ?? '';
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'expired'));

    await says(call);

    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ callId: call.callId, code: 'ERR_LEASE_ENDED' });
    expect(world.delivered(taskId).map(({ type }) => type)).toEqual([
      CREDENTIAL_DELIVERED,
      'lease.ended',
      'call.refused',
    ]);
  });

  it('is refused when it is another call under the same id', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    await says(call);
    await world.delivers(taskId, CREDENTIAL_DELIVERED);

    await says({ ...call, ttlMs: 90_000 });

    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ callId: call.callId, code: 'ERR_CALL_REUSED' });
    expect(world.events(taskId, 'event.rejected')).toMatchObject([
      { code: 'ERR_CALL_REUSED', sender: ANALYST },
    ]);
    expect(world.target.creates).toHaveLength(1);
  });
});

describe('a denied call', () => {
  it('is told to its agent with the reasons of the policy, and makes no credential', async () => {
    const taskId = await startedTask();
    const call = called(taskId, { dataset: 'hr.salaries' });
    await says(call);

    const [decided] = await world.hears(taskId, 'call.decided');
    expect(decided).toMatchObject({ decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' });
    expect(decided?.checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'tool_policy', ok: true, policies: ['tools.warehouse'] }),
        expect.objectContaining({ check: 'dataset_policy', ok: false, policies: ['guard.salaries'] }),
      ]),
    );
    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({
      callId: call.callId,
      agent: ANALYST,
      code: 'ERR_DATASET_FORBIDDEN',
    });
    expect(String(refused?.data.reasons)).toContain('salaries are for people, not for agents');
    expect(world.target.creates).toEqual([]);
  });

  it('is answered once for each: outside the declaration, and a seal key that is the proof key', async () => {
    const taskId = await startedTask();
    const { key } = await world.voices.as(ANALYST);
    await says(called(taskId, { dataset: 'crm.customers' }));
    await says(called(taskId, { sealTo: key.publicJwk }));

    const refused = await world.delivers(taskId, 'call.refused', 2);
    expect(refused.map(({ data }) => data.code)).toEqual(['ERR_NOT_DECLARED', 'ERR_SEAL_KEY_REUSED']);
    expect(world.target.creates).toEqual([]);
  });
});

it('keeps the whole request of each decision under its digest', async () => {
  const taskId = await startedTask();
  await says(called(taskId));
  await says(called(taskId, { dataset: 'hr.salaries' }));
  await world.hears(taskId, 'call.decided', 2);

  const digests = [
    ...world.events(taskId, 'task.accepted').map(({ inputs }) => inputs),
    ...world.events(taskId, 'call.decided').map(({ inputs }) => inputs),
  ];
  const kept = await world.query<{ digest: string; inputs: object }>(
    'SELECT digest, inputs FROM decision_input',
  );

  expect(new Set(digests).size).toBe(3);
  expect(kept.map(({ digest }) => digest).sort()).toEqual([...digests].sort());
  expect(JSON.stringify(kept)).toContain(ORCHESTRATOR);
});

describe('a task that nobody ended', () => {
  it('is ended by the broker at its deadline, though the bus is away', async () => {
    const taskId = await startedTask();
    world.bus.away = true;
    await world.passDeadline(taskId);
    await endOverdue(broker.parts);
    expect(await world.query("SELECT 1 FROM task WHERE status = 'ended'")).toHaveLength(1);
    world.bus.away = false;

    expect(await world.hears(taskId, 'task.ended')).toMatchObject([
      { outcome: 'deadline', actor: '//mayfly/broker', generation: 1 },
    ]);
  });

  it('stays open until then', async () => {
    const taskId = await startedTask();

    await endOverdue(broker.parts);
    await world.quiet();

    expect(world.typesOf(taskId)).toEqual(['task.accepted']);
  });
});
