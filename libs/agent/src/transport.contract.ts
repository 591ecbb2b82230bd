/** What every way to Mayfly must do. The broker is a fake; what is said to it is admitted as by the real one. */
import { v7 as uuidV7 } from 'uuid';
import {
  EXECUTOR,
  FakeBroker,
  LEASE,
  ORCHESTRATOR,
  POSTGRES,
  RENEWED_TO,
  TASK,
  refusal,
} from '../test/fake-broker.js';
import { openEnvelope } from './open-envelope.js';
import { generateSealKey } from './seal-key.js';
import { Speaker } from './speaker.js';
import type { Transport } from './transport.js';

export interface TransportWorld {
  transport: Transport;
  close(): Promise<void>;
}

/** @param open a way to this broker that asks again after 20 ms */
export function testTransport(open: (broker: FakeBroker) => Promise<TransportWorld>): void {
  let broker: FakeBroker;
  let world: TransportWorld;
  let orchestrator: Speaker;
  let executor: Speaker;
  const sealKey = generateSealKey();
  const callId = uuidV7();
  const call = { taskId: TASK, callId, agent: EXECUTOR, sealKid: sealKey.thumbprint };
  const called = {
    taskId: TASK,
    callId,
    tool: 'sql.query',
    dataset: 'crm.orders',
    action: 'read',
    sealTo: sealKey.publicJwk,
  };
  const started = {
    taskId: TASK,
    purpose: 'Reconcile October invoices',
    objectiveSha256: 'a'.repeat(64),
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: EXECUTOR }],
    declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
    deadline: '2099-01-01T00:00:00.000Z',
    risk: 'low' as const,
  };

  beforeEach(async () => {
    broker = await FakeBroker.open();
    world = await open(broker);
    orchestrator = new Speaker(broker.identity(ORCHESTRATOR));
    executor = new Speaker(broker.identity(EXECUTOR));
  });
  afterEach(async () => {
    await world.close();
    await broker.close();
  });

  const soon = { withinMs: 30_000 };
  const start = (patience: { withinMs: number; signal?: AbortSignal } = soon) =>
    world.transport.tell(
      'task.started',
      TASK,
      () => orchestrator.sign({ type: 'task.started', data: started }),
      patience,
    );
  const end = () =>
    world.transport.tell(
      'task.ended',
      TASK,
      () => orchestrator.sign({ type: 'task.ended', data: { taskId: TASK, outcome: 'completed' } }),
      soon,
    );
  const ask = (patience: { withinMs: number; signal?: AbortSignal } = soon) =>
    world.transport.ask(call, () => executor.sign({ type: 'tool.called', data: called }), patience);

  it('tells of the start and the end of a task', async () => {
    await start();
    await end();
    expect(broker.heard.map(({ event, sender }) => [event.type, sender])).toEqual([
      ['task.started', ORCHESTRATOR],
      ['task.ended', ORCHESTRATOR],
    ]);
  });

  const amend = () =>
    world.transport.tell(
      'task.amended',
      TASK,
      () =>
        orchestrator.sign({ type: 'task.amended', data: { taskId: TASK, deadline: '2098-01-01T00:00:00Z' } }),
      soon,
    );

  it('tells of an amendment', async () => {
    await amend();
    expect(broker.heard.map(({ event }) => event.type)).toEqual(['task.amended']);
  });

  it('says all that is wrong with an amendment', async () => {
    broker.next = [refusal('ERR_TOOL_UNKNOWN', 'a tool nobody knows', 'a dataset nobody knows')];
    await expect(amend()).rejects.toMatchObject({
      name: 'Refused',
      code: 'ERR_TOOL_UNKNOWN',
      reasons: ['a tool nobody knows', 'a dataset nobody knows'],
    });
  });

  it('says why a start is refused', async () => {
    broker.next = [refusal('ERR_DEADLINE_PAST', 'the deadline is over')];
    await expect(start()).rejects.toMatchObject({
      name: 'Refused',
      code: 'ERR_DEADLINE_PAST',
      reasons: ['the deadline is over'],
    });
  });

  it('brings the envelope of a call', async () => {
    const opened = await openEnvelope(await ask(), sealKey, call);
    expect(opened).toMatchObject({ kind: 'postgres', leaseId: POSTGRES.leaseId });
  });

  it('says why a call is refused, with all reasons', async () => {
    broker.next = [refusal('ERR_DATASET_FORBIDDEN', 'policy does not permit this call', 'no salaries')];
    await expect(ask()).rejects.toMatchObject({
      name: 'Refused',
      code: 'ERR_DATASET_FORBIDDEN',
      reasons: ['policy does not permit this call', 'no salaries'],
    });
  });

  it('takes a decision for one, also where trouble at the target was the reason', async () => {
    broker.next = [refusal('ERR_TARGET_UNREACHABLE', 'the target does not answer')];
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
    expect(broker.heard).toHaveLength(1);
  });

  it('says why it was turned away at the door', async () => {
    const stranger = new Speaker(() => Promise.resolve(svidOfNobody));
    const turnedAway = world.transport.ask(call, () => stranger.sign({ type: 'tool.called', data: called }), {
      withinMs: 400,
    });
    await expect(turnedAway).rejects.toMatchObject({
      name: 'Refused',
      code: expect.stringMatching(/^ERR_SVID_/) as string,
    });
  });

  it('asks again where the answer is lost, and it is the same call', async () => {
    broker.next = [{ is: 'lost' }, { is: 'busy' }];
    await openEnvelope(await ask(), sealKey, call);
    expect(new Set(broker.heard.map(({ valueSha256 }) => valueSha256)).size).toBe(1);
    expect(new Set(broker.heard.map(({ ceId }) => ceId)).size).toBe(3);
  });

  describe('a renewal', () => {
    const renewal = { ...call, leaseId: POSTGRES.leaseId };
    const id = uuidV7();
    const data = { taskId: TASK, leaseId: POSTGRES.leaseId };
    const renew = (withinMs = soon.withinMs) =>
      world.transport.renew(renewal, () => executor.sign({ type: 'lease.renewal_requested', data, id }), {
        withinMs,
      });

    it('brings the new end', async () => {
      expect(await renew()).toEqual({ notAfter: RENEWED_TO });
    });

    it('brings the envelope of a token that takes the place of the old one', async () => {
      await ask();
      const plaintext = { kind: 'jwt', leaseId: LEASE, notAfter: RENEWED_TO, token: 'a.b.c', dpop: true };
      broker.next = [{ is: 'renewed', notAfter: RENEWED_TO, plaintext }];
      const renewed = await renew();
      const opened = await openEnvelope('envelope' in renewed ? renewed.envelope : '', sealKey, call);
      expect(opened).toMatchObject({ kind: 'jwt', leaseId: LEASE, notAfter: RENEWED_TO });
    });

    it('says why it is refused', async () => {
      broker.next = [refusal('ERR_RENEWAL_TOO_LATE', 'the lease is about to end')];
      await expect(renew()).rejects.toMatchObject({
        name: 'Refused',
        code: 'ERR_RENEWAL_TOO_LATE',
        reasons: ['the lease is about to end'],
      });
    });

    it('is asked for again where the answer is lost, and it is the same event', async () => {
      broker.next = [{ is: 'lost' }, { is: 'busy' }];
      expect(await renew()).toEqual({ notAfter: RENEWED_TO });
      expect(new Set(broker.heardOf('lease.renewal_requested').map(({ ceId }) => ceId)).size).toBe(1);
      expect(broker.heard).toHaveLength(3);
    });

    it('gives up when its time is over', async () => {
      broker.next = Array.from({ length: 100 }, () => ({ is: 'lost' as const }));
      await expect(renew(200)).rejects.toMatchObject({ code: 'ERR_ANSWER_TIMEOUT' });
    });
  });

  it('gives up when its time is over', async () => {
    broker.next = Array.from({ length: 100 }, () => ({ is: 'lost' as const }));
    const sinceMs = performance.now();
    await expect(ask({ withinMs: 200 })).rejects.toMatchObject({
      name: 'AgentError',
      code: 'ERR_ANSWER_TIMEOUT',
    });
    // No sooner than another try would have been too late.
    expect(performance.now() - sinceMs).toBeGreaterThan(100);
  });

  it('gives up when whoever asks has lost patience', async () => {
    broker.next = Array.from({ length: 100 }, () => ({ is: 'lost' as const }));
    const patience = new AbortController();
    const asked = ask({ ...soon, signal: patience.signal });
    setTimeout(() => patience.abort(new Error('enough')), 50);
    await expect(asked).rejects.toThrow('enough');
  });

  it('sends nothing for who has lost patience before', async () => {
    await expect(start({ ...soon, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
    expect(broker.heard).toEqual([]);
  });
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
export const svidOfNobody = `${part({ alg: 'ES256', kid: 'k' })}.${part({ sub: EXECUTOR, aud: ['mayfly'], exp: 4_000_000_000 })}.c2ln`;
