/** A call that waits for people, on the bus: who is told, what is decided in the end, and what ends it before. */
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import { admit } from '#identity/admit.js';
import type { BrokerProcess, World } from '../../test/harness.js';
import { ANALYST, type called } from '../../test/voices.js';
import { codeOf, WaitingCalls, writing, type Asked } from '../../test/waiting-calls.js';

const OLGA = 'user:olga@corp.example';
const PAVEL = 'user:pavel@corp.example';
const MARIA = 'user:maria@corp.example';

let calls: WaitingCalls;
let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  calls = await WaitingCalls.open();
  ({ world, broker } = calls);
});
afterEach(() => world.close());

const task = () => calls.task();
const asked = () => calls.asked();
const grant = (waiting: Asked, by: string) => calls.grant(waiting, by);
const says = (waiting: Asked, is: 'refuse' | 'withdraw', by: string) => calls.says(waiting, is, by);
const refusals = (waiting: Asked) => calls.refusals(waiting);

describe('a call that needs people', () => {
  it('waits: nothing is created, and its agent is told', async () => {
    const { taskId, requested } = await asked();
    const [pending] = await world.delivers(taskId, 'call.pending');

    expect(pending?.data).toMatchObject({ approval: requested.approvalId, expiresAt: requested.expiresAt });
    expect(world.target.creates).toEqual([]);
    expect(requested).toMatchObject({
      notBy: [MARIA],
      needed: 1,
      binds: { what: 'these_rights', rights: ['pol_crm_orders_write'], seconds: 900 },
    });
  });

  it('asked again, people are not asked again, and its agent is told again', async () => {
    const { taskId, record, requested } = await asked();
    const call = JSON.parse((record.value ?? '').toString()) as ReturnType<typeof called>;
    await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
    await world.delivers(taskId, 'call.pending', 2);

    expect(world.events(taskId, 'approval.requested')).toEqual([requested]);
  });

  it('is decided once more when it is granted, and its credential comes', async () => {
    const waiting = await asked();
    const { taskId, requested } = waiting;
    expect(codeOf(await grant(waiting, OLGA))).toBe('consumed');
    await world.delivers(taskId, CREDENTIAL_DELIVERED);

    const decisions = world.events(taskId, 'call.decided');
    expect(decisions.map(({ decision }) => decision)).toEqual(['approval_required', 'permit']);
    expect(decisions[1]?.callDigest).toBe(requested.callDigest);
    const [issued] = world.events(taskId, 'lease.issued');
    expect(world.events(taskId, 'approval.granted')).toMatchObject([{ by: OLGA, granted: 1, needed: 1 }]);
    expect(world.events(taskId, 'approval.consumed')).toMatchObject([
      { leaseId: issued?.leaseId, approvers: [OLGA] },
    ]);
  });

  it('has its time to live from its issue, not from when it was asked', async () => {
    const waiting = await asked();
    const askedAtMs = Date.parse(waiting.requested.at);
    await grant(waiting, OLGA);
    const [intended] = await world.hears(waiting.taskId, 'lease.intended');

    expect(Date.parse(intended!.notAfter) - Date.parse(intended!.at)).toBe(60_000);
    expect(Date.parse(intended!.at)).toBeGreaterThan(askedAtMs);
  });

  it('is refused when somebody refuses', async () => {
    const waiting = await asked();
    await says(waiting, 'refuse', OLGA);
    await world.delivers(waiting.taskId, 'call.refused');

    expect(refusals(waiting)).toEqual(['ERR_APPROVAL_REFUSED']);
    expect(codeOf(await grant(waiting, PAVEL))).toBe('ERR_APPROVAL_DECIDED');
    expect(world.target.creates).toEqual([]);
  });

  it('is refused once its time is over', async () => {
    world.approvals.expiresMs = 0;
    const waiting = await asked();
    await broker.broker.approvals.lapse();
    await world.delivers(waiting.taskId, 'call.refused');

    expect(refusals(waiting)).toEqual(['ERR_APPROVAL_EXPIRED']);
    expect(world.events(waiting.taskId, 'approval.expired')).toMatchObject([{ why: 'time' }]);
  });

  it('is refused with the end of its task', async () => {
    const waiting = await asked();
    await broker.hear(await world.voices.ends(waiting.taskId));
    await broker.broker.approvals.lapse();
    await world.delivers(waiting.taskId, 'call.refused');

    expect(refusals(waiting)).toEqual(['ERR_TASK_ENDED']);
    expect(codeOf(await grant(waiting, OLGA))).toBe('ERR_APPROVAL_EXPIRED');
  });

  it('is refused at once where too many of its agent wait', async () => {
    world.approvals.maxOpenPerAgent = 1;
    const waiting = await asked();
    await broker.hear(await world.voices.calls(waiting.taskId, writing));
    await world.delivers(waiting.taskId, 'call.refused');

    expect(refusals(waiting)).toEqual(['ERR_APPROVAL_FLOOD']);
    expect(world.events(waiting.taskId, 'approval.requested')).toHaveLength(1);
  });
});

it('a call that cannot wait is refused, and nobody is asked', async () => {
  const taskId = await task();
  const record = await world.voices.calls(taskId, writing);
  const said = admit(record, broker.parts.trust);
  if (!said.ok) throw new Error(said.refusal.code);
  broker.broker.requests.open();
  await broker.broker.requests.take({
    record,
    said: { ok: true, admitted: { ...said.admitted, cannotWait: true } },
  });
  const [decided] = await world.hears(taskId, 'call.decided');

  expect(decided).toMatchObject({ decision: 'approval_required', code: 'ERR_APPROVAL_REQUIRED' });
  expect(await world.query('SELECT FROM approval')).toEqual([]);
  expect(await world.query('SELECT state, code FROM call')).toEqual([
    { state: 'refused', code: 'ERR_APPROVAL_REQUIRED' },
  ]);
});

it('another policy ends what waits: the next grant is for a call that is not decided so any more', async () => {
  const waiting = await asked();
  const { judge } = broker.parts;
  broker.parts.judge = {
    digest: 'sha256:newer',
    decideCall: (question) => judge.decideCall(question),
    decideTask: (question) => judge.decideTask(question),
    decideRenewal: (question) => judge.decideRenewal(question),
  };
  expect(codeOf(await grant(waiting, OLGA))).toBe('ERR_APPROVAL_LAPSED');
  await world.delivers(waiting.taskId, 'call.refused');

  expect(refusals(waiting)).toEqual(['ERR_APPROVAL_LAPSED']);
  expect(await world.hears(waiting.taskId, 'approval.expired')).toMatchObject([{ why: 'policy_changed' }]);
});
