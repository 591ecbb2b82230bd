/** Leases of tokens: told to verifiers, seen to be told, and removed. */
import { v7 as uuidv7 } from 'uuid';
import { REVOCATIONS } from '#events/topics.js';
import type { Plan } from '#providers/provider.js';
import { AGENT, brokers, inMs } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';
import { tokenPlan } from './token-plan.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvt');
});
afterAll(() => world.close());
beforeEach(() => world.start());
afterEach(() => world.stop());

let idx = 0;
async function issuedIn(taskId: string, change: Partial<Plan> = {}): Promise<Plan> {
  const plan = tokenPlan(taskId, (idx += 1), change);
  await world.say(world.intended(taskId, plan));
  await world.say(world.issued(taskId, plan));
  return plan;
}
const toldOf = (key: string) =>
  world.bus.records(REVOCATIONS).filter((record) => record.key?.toString() === key).length;

it('is due with its task, seen dead twice by what verifiers read, and removed; its task is told, and nothing more', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const plan = await issuedIn(taskId);
  await world.until(() => world.looks(plan) === 'live', 'verifiers to know that it lives');

  await world.endTask(taskId);

  expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({
    cause: 'task_ended',
    evidence: { state: 'disabled', observations: 2, nodes: { seen: 1, expected: 1 } },
  });
  await world.hears(plan.leaseId, 'lease.removed');
  expect(world.looks(plan)).toBe('dead');
  expect(world.said(plan.leaseId).map(({ type }) => type)).toEqual([
    'lease.revocation_requested',
    'lease.access_cut',
    'lease.removed',
  ]);
  expect(toldOf(`task:${taskId}`)).toBe(1);
  expect(toldOf(`lease:${plan.leaseId}`)).toBe(0);
});

it('leaves nothing to be dropped, so its cut and its removal are one transaction', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const plan = await issuedIn(taskId);
  await world.endTask(taskId);
  await world.hears(plan.leaseId, 'lease.removed');

  const { rows } = await world.db.pool.query(
    `SELECT type, xmin::text AS tx FROM ${world.db.schema}.event WHERE stream = $1 AND data->>'leaseId' = $2 ORDER BY version`,
    [taskId, plan.leaseId],
  );

  expect(rows.map(({ type }: { type: string }) => type)).toEqual([
    'lease.revocation_requested',
    'lease.access_cut',
    'lease.removed',
  ]);
  const [requested, cut, removed] = rows.map(({ tx }: { tx: string }) => tx);
  expect(removed).toBe(cut);
  expect(cut).not.toBe(requested);
});

it('of a task that an operator suspended is told with its task, and not by itself', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const known = await issuedIn(taskId);
  await world.say({
    type: 'task.suspended',
    data: { ...brokers(taskId), generation: 2, cause: 'operator', actor: 'user:nadia@corp.example' },
  });
  const heardLater = await issuedIn(taskId);

  for (const plan of [known, heardLater]) {
    expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'operator' });
    await world.hears(plan.leaseId, 'lease.removed');
    expect(world.looks(plan)).toBe('dead');
    expect(toldOf(`lease:${plan.leaseId}`)).toBe(0);
  }
  expect(world.revocation(`task:${taskId}`)).toMatchObject({ generationBelow: 2, reason: 'operator' });
});

it('that its agent gives back is told by itself, and the others of its task live on', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const [plan, other] = [await issuedIn(taskId), await issuedIn(taskId)];

  await world.say({
    type: 'lease.returned',
    data: { ...brokers(taskId), leaseId: plan.leaseId, agent: AGENT },
  });

  expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'returned' });
  await world.hears(plan.leaseId, 'lease.removed');
  expect(world.revocation(`lease:${plan.leaseId}`)).toMatchObject({ what: 'lease', reason: 'returned' });
  expect(world.looks(plan)).toBe('dead');
  await world.until(() => world.looks(other) === 'live', 'the other to live');
});

it('whose approval is withdrawn is cut, and the others of its task live on', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const [plan, other] = [await issuedIn(taskId), await issuedIn(taskId)];
  const approval = { approvalId: uuidv7(), callId: uuidv7(), agent: AGENT, by: 'user:olga@corp.example' };
  const said = { ...brokers(taskId), ...approval };

  await world.say({ type: 'approval.withdrawn', data: said });
  await world.say({ type: 'approval.withdrawn', data: { ...said, leaseId: plan.leaseId } });

  expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'approval_withdrawn' });
  await world.hears(plan.leaseId, 'lease.removed');
  expect(world.revocation(`lease:${plan.leaseId}`)).toMatchObject({ reason: 'approval_withdrawn' });
  await world.until(() => world.looks(other) === 'live', 'the other to live');
});

it('is told in the moment it is due, whatever becomes of its cut', async () => {
  const plan = await issuedIn(uuidv7(), { target: 'not-configured-here', notAfter: inMs(300) });
  await world.until(() => world.looks(plan) === 'dead', 'verifiers to know');
  expect(world.revocation(`lease:${plan.leaseId}`)).toMatchObject({
    reason: 'expired',
    notAfter: plan.notAfter,
  });
  expect(await world.stateOf(plan.leaseId)).toBe('due');
});

it('is not proven dead while the bus takes nothing, and is once it does', async () => {
  const plan = await issuedIn(uuidv7(), { notAfter: inMs(300) });
  // In the same turn as the last record: nothing of it is read before the bus is away.
  world.bus.away = true;
  await world.until(async () => (await world.stateOf(plan.leaseId)) === 'due', 'the end of its time');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await world.stateOf(plan.leaseId)).toBe('due');

  world.bus.away = false;

  expect(await world.hears(plan.leaseId, 'lease.access_cut')).toMatchObject({ cause: 'expired' });
});

it('tells verifiers of a key that is compromised, and of none that is only followed by another', async () => {
  const rotated = { ...brokers('signing-key'), service: 'broker' as const, kid: 'k3', previous: 'k2' };
  await world.say({ type: 'signing_key.rotated', data: { ...rotated, why: 'schedule' } });
  await world.say({ type: 'signing_key.rotated', data: { ...rotated, why: 'order', compromised: 'k1' } });

  await world.until(() => world.revocation('key:k1') !== undefined, 'the revocation');
  expect(world.revocation('key:k1')).toMatchObject({
    what: 'key',
    generationBelow: null,
    reason: 'compromised',
  });
  const keys = world.bus.records(REVOCATIONS).filter(({ key }) => key?.toString().startsWith('key:'));
  expect(keys).toHaveLength(1);
});
