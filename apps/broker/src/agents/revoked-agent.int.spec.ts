/** What operators ordered at the revoker, as the broker obeys it: agents that get nothing, and tasks in a new generation. */
import { v7 as uuidv7 } from 'uuid';
import type { OutboundEvent } from '#events/outbound.js';
import { World, type BrokerProcess } from '../../test/harness.js';
import { ANALYST, inMs, ORCHESTRATOR } from '../../test/voices.js';
import { evaluateActs } from '../evaluate-acts.js';
import { verifyTask } from '../task-stream.js';
import { transact } from '#store/database.js';

const NADIA = 'user:nadia@corp.example';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start({});
});
afterEach(() => world.close());

const word = () => ({ actor: NADIA, at: inMs(0), by: NADIA, reason: 'a laptop was stolen' });
const noTask = () => ({ taskId: 'revocations', generation: 0, ...word() });
const revoked = (generationBelow: number): OutboundEvent => ({
  type: 'agent.revoked',
  data: { ...noTask(), agent: ANALYST, generationBelow },
});
const reinstated = (agentGeneration: number): OutboundEvent => ({
  type: 'agent.reinstated',
  data: { ...noTask(), agent: ANALYST, agentGeneration },
});
const ordered = (taskId: string, generationBelow: number): OutboundEvent => ({
  type: 'revocation.ordered',
  data: {
    ...{ taskId, generation: 1, ...word() },
    ...{ orderId: uuidv7(), scope: 'task', subject: taskId, generationBelow },
  },
});
const hears = (event: OutboundEvent) => broker.hearRevoker(world.voices.tells(event));

async function started(change: Parameters<World['voices']['starts']>[1] = {}): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, change));
  return taskId;
}

describe('an agent that is revoked', () => {
  it('gets nothing, in whatever task, until it is reinstated; then in a generation of its own', async () => {
    const [before, after] = [await started(), uuidv7()];
    await hears(revoked(1));
    await broker.hear(
      await world.voices.calls(before),
      await world.voices.starts(after),
      await world.voices.calls(after),
    );
    for (const taskId of [before, after]) {
      const [refused] = await world.delivers(taskId, 'call.refused');
      expect(refused?.data).toMatchObject({ code: 'ERR_AGENT_REVOKED' });
      expect(world.events(taskId, 'call.decided')).toMatchObject([
        { decision: 'deny', code: 'ERR_AGENT_REVOKED' },
      ]);
      expect(world.events(taskId, 'lease.intended')).toEqual([]);
    }

    await hears(reinstated(1));
    await broker.hear(await world.voices.calls(before));

    expect(await world.hears(before, 'lease.intended')).toMatchObject([{ agentGeneration: 1 }]);
    await world.hears(before, 'lease.issued');
  });

  it('has its token say the generation that it was reinstated in', async () => {
    const declared = [{ tool: 'orders.api', dataset: 'orders', actions: ['read'] }];
    const taskId = await started({ declared });
    await hears(revoked(1));
    await hears(reinstated(1));

    await broker.hear(await world.voices.calls(taskId, { tool: 'orders.api', dataset: 'orders' }));

    expect(await world.hears(taskId, 'lease.intended')).toMatchObject([
      { agentGeneration: 1, token: { agent: ANALYST, agentGeneration: 1 } },
    ]);
  });

  it.each([
    ['revoked', [revoked(1)]],
    ['revoked and reinstated', [revoked(1), reinstated(1)]],
  ])('is issued nothing that was on its way when it was %s', async (_what, events) => {
    world.target.hang();
    const taskId = await started();
    await broker.hear(await world.voices.calls(taskId));
    await world.until(() => world.target.creates.length === 1, 'the create');
    for (const event of events) await hears(event);

    world.target.answerAll();

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([
      { answered: true, why: 'agent_revoked' },
    ]);
    const [refused] = await world.delivers(taskId, 'call.refused');
    expect(refused?.data).toMatchObject({ code: 'ERR_AGENT_REVOKED' });
  });

  it('renews nothing, and declares nothing', async () => {
    const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
    const taskId = await started({ delegable });
    await broker.hear(await world.voices.calls(taskId, { ttlMs: 60_000 }));
    const [issued] = await world.hears(taskId, 'lease.issued');
    const child = uuidv7();
    await hears(revoked(1));

    await broker.hear(
      await world.voices.renews(taskId, issued?.leaseId ?? '', 120_000),
      await world.voices.starts(
        child,
        { parent: { taskId }, declared: delegable, deadline: inMs(60_000) },
        ANALYST,
      ),
    );

    expect(await world.hears(taskId, 'lease.renewal_refused')).toMatchObject([{ code: 'ERR_AGENT_REVOKED' }]);
    expect(await world.hears(child, 'event.rejected')).toMatchObject([{ code: 'ERR_AGENT_REVOKED' }]);
  });

  it('would be refused, whoever asks beforehand', async () => {
    const taskId = await started();
    await hears(revoked(1));

    const act = { taskId, agent: ANALYST, tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
    expect(await evaluateActs([act], ORCHESTRATOR, broker.parts)).toMatchObject([
      { decision: 'deny', code: 'ERR_AGENT_REVOKED' },
    ]);
  });

  it('is revoked by nobody but the revoker', async () => {
    const taskId = await started();
    await broker.hearRevoker(world.voices.tells(revoked(1), 'auditor'));

    await broker.hear(await world.voices.calls(taskId));

    await world.hears(taskId, 'lease.issued');
  });
});

describe('a task whose leases are revoked', () => {
  it('goes on in a generation above all that it was lent, once for one order', async () => {
    const taskId = await started();
    const order = ordered(taskId, 4);
    const said = world.voices.tells(order);
    await broker.hearRevoker(said);
    await broker.hearRevoker(world.voices.tells(order, 'revoker', said.headers['ce_id']?.toString()));

    await broker.hear(await world.voices.calls(taskId));

    expect(await world.hears(taskId, 'task.revoked')).toMatchObject([
      {
        generation: 4,
        actor: NADIA,
        reason: 'a laptop was stolen',
        causedBy: said.headers['ce_id']?.toString(),
      },
    ]);
    expect(await world.hears(taskId, 'lease.intended')).toMatchObject([
      { generation: 4, lineage: [{ taskId, generation: 4 }] },
    ]);
    await world.hears(taskId, 'lease.issued');
    await hears(ordered(taskId, 2));
    expect((await world.hears(taskId, 'task.revoked', 2)).at(-1)).toMatchObject({ generation: 5 });
    expect(await transact(broker.parts.db, (tx) => verifyTask(tx, taskId))).toMatchObject({ same: true });
  });

  it('is issued nothing that was on its way', async () => {
    world.target.hang();
    const taskId = await started();
    await broker.hear(await world.voices.calls(taskId));
    await world.until(() => world.target.creates.length === 1, 'the create');
    await hears(ordered(taskId, 2));

    world.target.answerAll();

    expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([{ why: 'generation_changed' }]);
  });

  it('stays as it is where the order is about something else', async () => {
    const taskId = await started();
    const { data } = ordered(taskId, 2) as Extract<OutboundEvent, { type: 'revocation.ordered' }>;
    await hears({ type: 'revocation.ordered', data: { ...data, scope: 'lease', subject: uuidv7() } });
    await hears(ordered(uuidv7(), 2));

    expect(world.events(taskId, 'task.revoked')).toEqual([]);
  });
});
