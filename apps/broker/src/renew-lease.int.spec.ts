/** Renewals on the bus, from the request to what the agent is told (protocol, rule 8). */
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, inMs, PLANNER } from '../test/voices.js';

const MINUTE = 60_000;
let world: World;
let broker: BrokerProcess;
let taskId: string;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
  taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId));
});
afterEach(() => world.close());

async function issued(ttlMs = MINUTE) {
  await broker.hear(await world.voices.calls(taskId, { ttlMs }));
  const leases = await world.hears(taskId, 'lease.issued');
  return leases[leases.length - 1]!;
}
const endsIn = (ms: number) => world.query(`UPDATE lease SET not_after = $1`, [inMs(ms)]);
const refusal = async () => (await world.delivers(taskId, 'lease.renewal_refused'))[0]?.data;

it('moves the end at the target first, then says so, and tells the agent', async () => {
  const { leaseId, callId, notAfter } = await issued();
  await broker.hear(await world.voices.renews(taskId, leaseId, 2 * MINUTE));

  const [renewed] = await world.hears(taskId, 'lease.renewed');
  expect(renewed).toMatchObject({ leaseId, callId, agent: ANALYST, previousNotAfter: notAfter, renewals: 1 });
  expect(Date.parse(renewed?.notAfter ?? '')).toBeGreaterThan(Date.now() + MINUTE);
  expect(world.target.ends.get(leaseId)).toBe(renewed?.notAfter);
  const [told] = await world.delivers(taskId, 'lease.renewed');
  expect(told?.data).toEqual({ taskId, leaseId, agent: ANALYST, notAfter: renewed?.notAfter });
  const inputs = await world.query<{ inputs: object }>(
    'SELECT inputs FROM decision_input WHERE digest = $1',
    [renewed?.inputs],
  );
  expect(inputs[0]?.inputs).toMatchObject({ tool: {}, dataset: {}, renew: { action: { id: 'renew' } } });
});

it('may be renewed again and again, each time decided anew', async () => {
  const { leaseId } = await issued();
  await broker.hear(await world.voices.renews(taskId, leaseId, 2 * MINUTE));
  await world.hears(taskId, 'lease.renewed');
  await broker.hear(await world.voices.renews(taskId, leaseId, 3 * MINUTE));

  const [first, second] = await world.hears(taskId, 'lease.renewed', 2);
  expect(second).toMatchObject({ renewals: 2, previousNotAfter: first?.notAfter });
  expect(second?.inputs).not.toBe(first?.inputs);
});

it('lives no longer than policy lends, whatever is asked', async () => {
  const { leaseId } = await issued();
  await broker.hear(await world.voices.renews(taskId, leaseId, 20 * MINUTE));

  const [renewed] = await world.hears(taskId, 'lease.renewed');
  expect(Date.parse(renewed?.notAfter ?? '')).toBeLessThanOrEqual(Date.now() + 5 * MINUTE);
});

describe('is refused, and the lease runs out', () => {
  it('after the end of its task', async () => {
    const { leaseId } = await issued();
    await broker.hear(await world.voices.ends(taskId), await world.voices.renews(taskId, leaseId));

    expect(await refusal()).toMatchObject({ leaseId, agent: ANALYST, code: 'ERR_TASK_ENDED' });
    expect(world.events(taskId, 'lease.renewal_refused')).toHaveLength(1);
    expect(world.target.asked.map(({ verb }) => verb)).not.toContain('renew');
  });

  it('once the revoker goes for it', async () => {
    const { leaseId } = await issued();
    await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'operator'));
    await broker.hear(await world.voices.renews(taskId, leaseId));

    expect(await refusal()).toMatchObject({ code: 'ERR_LEASE_ENDED' });
  });

  it('in its last seconds', async () => {
    const { leaseId } = await issued();
    await endsIn(4_900);
    await broker.hear(await world.voices.renews(taskId, leaseId));

    expect(await refusal()).toMatchObject({ code: 'ERR_RENEWAL_TOO_LATE' });
  });

  it('where its task ends while the target is asked: what the target did is not recorded', async () => {
    const { leaseId } = await issued();
    world.target.hang();
    await broker.hear(await world.voices.renews(taskId, leaseId, 2 * MINUTE));
    await broker.hear(await world.voices.ends(taskId));
    world.target.answerAll();

    expect(await refusal()).toMatchObject({ code: 'ERR_TASK_ENDED' });
    expect(world.events(taskId, 'lease.renewed')).toEqual([]);
    expect(await world.query('SELECT not_after FROM lease')).toEqual([{ not_after: null }]);
  });

  it.each([
    [{ answer: 'none' as const, code: 'ERR_TARGET_UNREACHABLE' }, 'ERR_TARGET_UNREACHABLE'],
    [{ answer: 'refused' as const, code: 'ERR_TARGET_BUSY' }, 'ERR_TARGET_REFUSED'],
    [{ answer: 'refused' as const, code: 'ERR_LEASE_FENCED' }, 'ERR_LEASE_ENDED'],
    [{ answer: 'refused' as const, code: 'ERR_RENEWAL_TOO_LATE' }, 'ERR_RENEWAL_TOO_LATE'],
  ])('where the target answers %j', async (answer, code) => {
    const { leaseId } = await issued();
    world.target.renewAnswer = () => answer;
    await broker.hear(await world.voices.renews(taskId, leaseId));

    expect(await refusal()).toMatchObject({ code });
    expect(world.events(taskId, 'lease.renewed')).toEqual([]);
  });
});

it.each([
  ['of another agent', PLANNER, 'ERR_NOT_ENTITLED'],
  ['with another key', ANALYST, 'ERR_KEY_CHANGED'],
])('is rejected from %s, and answered', async (_what, id, code) => {
  taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, { agents: [{ id: ANALYST }, { id: PLANNER }] }));
  const { leaseId } = await issued();
  const by = await world.voices.newly(id);
  await broker.hear(await world.voices.renews(taskId, leaseId, MINUTE, by));

  const [rejected] = await world.hears(taskId, 'event.rejected');
  expect(rejected).toMatchObject({ code, sender: id });
  expect(await refusal()).toMatchObject({ leaseId, agent: id, code });
});

describe('rule 10', () => {
  it('reading never waits for a target that is asked to renew', async () => {
    const { leaseId } = await issued();
    world.target.hang();
    await broker.hear(await world.voices.renews(taskId, leaseId));
    const other = uuidv7();
    await broker.hear(await world.voices.starts(other));

    await world.hears(other, 'task.accepted');
    expect(world.events(taskId, 'lease.renewed')).toEqual([]);
  });

  it('asked twice at once is renewed once', async () => {
    const { leaseId } = await issued();
    world.target.hang();
    await broker.hear(await world.voices.renews(taskId, leaseId), await world.voices.renews(taskId, leaseId));
    world.target.answerAll();

    await world.delivers(taskId, 'lease.renewed');
    await world.quiet();
    expect(world.events(taskId, 'lease.renewed')).toHaveLength(1);
    expect(world.target.asked.filter(({ verb }) => verb === 'renew')).toHaveLength(1);
  });
});

describe('killed between the target and the record', () => {
  it('another broker takes it up, and the outcome is one', async () => {
    const { leaseId } = await issued();
    world.target.hang();
    await broker.hear(await world.voices.renews(taskId, leaseId, 2 * MINUTE));
    await world.until(
      () => world.target.asked.some(({ verb }) => verb === 'renew'),
      'the target to be asked',
    );
    await broker.die();
    const heir = await world.start();
    await world.until(async () => {
      await heir.recoverRenewals();
      return world.target.asked.filter(({ verb }) => verb === 'renew').length > 1;
    }, 'the heir to ask again');
    world.target.answerAll();

    await world.hears(taskId, 'lease.renewed');
    await world.delivers(taskId, 'lease.renewed');
    await heir.recoverRenewals();
    await world.quiet();
    expect(world.events(taskId, 'lease.renewed')).toHaveLength(1);
    expect(await world.query('SELECT renewals FROM lease WHERE lease_id = $1', [leaseId])).toEqual([
      { renewals: 1 },
    ]);
  });

  it('and too late for it: the lease ends when it would have', async () => {
    const { leaseId } = await issued();
    world.target.hang();
    await broker.hear(await world.voices.renews(taskId, leaseId, 2 * MINUTE));
    await broker.die();
    const heir = await world.start();
    world.target.renewAnswer = () => ({ answer: 'refused', code: 'ERR_RENEWAL_TOO_LATE' });
    await endsIn(4_900);
    world.target.answerAll();
    await world.until(async () => {
      await heir.recoverRenewals();
      return world.events(taskId, 'lease.renewal_refused').length > 0;
    }, 'the refusal');

    expect(world.events(taskId, 'lease.renewal_refused')).toMatchObject([
      { leaseId, code: 'ERR_RENEWAL_TOO_LATE' },
    ]);
    expect(world.events(taskId, 'lease.renewed')).toEqual([]);
  });
});
