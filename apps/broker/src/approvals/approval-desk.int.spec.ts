/** A call that waits for people, on the bus: what they say, what follows, and what is left of it after a crash. */
import { v7 as uuidv7 } from 'uuid';
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import { admit } from '#identity/admit.js';
import { World, type BrokerProcess } from '../../test/harness.js';
import { ANALYST, type called } from '../../test/voices.js';

const OLGA = 'user:olga@corp.example';
const PAVEL = 'user:pavel@corp.example';
const NADIA = 'user:nadia@corp.example';
const MARIA = 'user:maria@corp.example';
const WRITES = { tool: 'sql.query', dataset: 'crm.orders', actions: ['read', 'write'] };
const writing = { action: 'write' } as const;

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

async function task(): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, { declared: [WRITES] }));
  await world.hears(taskId, 'task.accepted');
  return taskId;
}

/** A call for which people are asked. */
async function asked() {
  const taskId = await task();
  const record = await world.voices.calls(taskId, writing);
  await broker.hear(record);
  const [requested] = await world.hears(taskId, 'approval.requested');
  return { taskId, record, requested: requested! };
}
type Asked = Awaited<ReturnType<typeof asked>>;

const grant = ({ requested }: Asked, by: string, process = broker, callDigest = requested.callDigest) =>
  process.broker.approvals.answer(requested.approvalId, { is: 'grant', by, callDigest });
const says = ({ requested }: Asked, is: 'refuse' | 'withdraw', by: string) =>
  broker.broker.approvals.answer(requested.approvalId, { is, by });
const codeOf = (answer: Awaited<ReturnType<typeof grant>>) =>
  answer.is === 'rejected' ? answer.refusal.code : answer.approval.status;
const refusals = ({ taskId }: Asked) =>
  world.delivered(taskId).flatMap(({ type, data }) => (type === 'call.refused' ? [data.code] : []));

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

describe('an answer that does not count', () => {
  it.each([
    ['of a stranger', 'user:eve@corp.example', undefined, 'ERR_NOT_ENTITLED'],
    ['of the person for whom the task runs', MARIA, undefined, 'ERR_NOT_ENTITLED'],
    ['for another digest', OLGA, 'sha256:other', 'ERR_APPROVAL_MISMATCH'],
  ])('%s is recorded, and changes nothing', async (_what, by, digest, code) => {
    const waiting = await asked();
    expect(codeOf(await grant(waiting, by, broker, digest))).toBe(code);
    const rejected = await world.hears(waiting.taskId, 'approval.answer_rejected');

    expect(rejected).toMatchObject([{ approvalId: waiting.requested.approvalId, by, answer: 'grant', code }]);
    expect(world.target.creates).toEqual([]);
    expect(codeOf(await grant(waiting, OLGA))).toBe('consumed');
  });

  it('after its time is recorded, and ends the approval', async () => {
    world.approvals.expiresMs = 0;
    const waiting = await asked();
    expect(codeOf(await grant(waiting, OLGA))).toBe('ERR_APPROVAL_EXPIRED');
    await world.hears(waiting.taskId, 'approval.answer_rejected');

    expect(world.events(waiting.taskId, 'approval.expired')).toMatchObject([{ why: 'time' }]);
    expect(refusals(waiting)).toEqual(['ERR_APPROVAL_EXPIRED']);
  });

  it('to what was used before is recorded: there is no second use', async () => {
    const waiting = await asked();
    await grant(waiting, OLGA);
    await world.hears(waiting.taskId, 'lease.issued');
    expect(codeOf(await grant(waiting, PAVEL))).toBe('ERR_APPROVAL_DECIDED');
    const [rejected] = await world.hears(waiting.taskId, 'approval.answer_rejected');

    expect(rejected).toMatchObject({ by: PAVEL, code: 'ERR_APPROVAL_DECIDED' });
    expect(world.target.creates).toHaveLength(1);
  });

  it('to what is not known is told so', async () => {
    const answer = await broker.broker.approvals.answer(uuidv7(), { is: 'refuse', by: OLGA });
    expect(codeOf(answer)).toBe('ERR_APPROVAL_UNKNOWN');
  });
});

it('an approval is of use once by the database too', async () => {
  const waiting = await asked();
  await grant(waiting, OLGA);
  const { approvalId, taskId } = waiting.requested;
  const again = world.query('INSERT INTO approval_use (approval_id, task_id, lease_id) VALUES ($1, $2, $3)', [
    ...[approvalId, taskId, 'another lease'],
  ]);
  await expect(again).rejects.toMatchObject({ code: '23505' });
});

it('two grants at once are one use', async () => {
  const waiting = await asked();
  const answers = await Promise.all([grant(waiting, OLGA), grant(waiting, PAVEL)]);
  await world.hears(waiting.taskId, 'lease.issued');

  expect(answers.map(codeOf).sort()).toEqual(['ERR_APPROVAL_DECIDED', 'consumed']);
  expect(world.target.creates).toHaveLength(1);
});

describe('a withdrawal', () => {
  it('of what was issued names its lease, tells the agent, and gives no envelope out again', async () => {
    const waiting = await asked();
    const { taskId, record } = waiting;
    await grant(waiting, OLGA);
    const [issued] = await world.hears(taskId, 'lease.issued');
    expect(codeOf(await says(waiting, 'withdraw', OLGA))).toBe('withdrawn');
    const [ended] = await world.delivers(taskId, 'lease.ended');

    expect(world.events(taskId, 'approval.withdrawn')).toMatchObject([
      { leaseId: issued?.leaseId, by: OLGA },
    ]);
    expect(ended?.data).toMatchObject({ leaseId: issued?.leaseId, cause: 'approval_withdrawn' });
    const call = JSON.parse((record.value ?? '').toString()) as ReturnType<typeof called>;
    await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
    await world.delivers(taskId, 'call.refused');
    expect(refusals(waiting)).toEqual(['ERR_LEASE_ENDED']);
  });

  it('while the credential is being made keeps it from being issued', async () => {
    const waiting = await asked();
    world.target.hang();
    await grant(waiting, OLGA);
    await world.until(() => world.target.creates.length === 1, 'a create');
    await says(waiting, 'withdraw', NADIA);
    world.target.answerAll();

    expect(await world.hears(waiting.taskId, 'lease.abandoned')).toMatchObject([{ why: 'cut_heard' }]);
    expect(world.events(waiting.taskId, 'lease.issued')).toEqual([]);
  });

  it('before it was granted refuses the call', async () => {
    const waiting = await asked();
    await says(waiting, 'withdraw', NADIA);
    await world.delivers(waiting.taskId, 'call.refused');

    expect(refusals(waiting)).toEqual(['ERR_APPROVAL_WITHDRAWN']);
  });
});

describe('after a crash', () => {
  it('between the grant and the credential, the call is decided by another broker, and issued once', async () => {
    const waiting = await asked();
    world.target.hang();
    await grant(waiting, OLGA);
    await world.until(() => world.target.creates.length === 1, 'a create');
    await broker.die();

    const next = await world.start();
    await next.recover();
    world.target.answerAll();
    await world.hears(waiting.taskId, 'lease.issued');
    await world.quiet();

    expect(world.events(waiting.taskId, 'lease.issued')).toHaveLength(1);
    expect(world.events(waiting.taskId, 'approval.consumed')).toHaveLength(1);
    expect(world.events(waiting.taskId, 'call.decided').map(({ decision }) => decision)).toEqual([
      'approval_required',
      'permit',
      'permit',
    ]);
  });

  it('what waits still waits, and another broker takes the grant', async () => {
    const waiting = await asked();
    await broker.stop();
    const next = await world.start();
    expect(codeOf(await grant(waiting, OLGA, next))).toBe('consumed');

    expect(await world.hears(waiting.taskId, 'lease.issued')).toHaveLength(1);
  });
});

it('the stream of its task tells the same as the row', async () => {
  const waiting = await asked();
  await grant(waiting, OLGA);
  await world.hears(waiting.taskId, 'lease.issued');
  const [row] = await world.query<{ version: number; events: string }>(
    'SELECT version, (SELECT count(*) FROM event WHERE stream = task_id) AS events FROM task WHERE task_id = $1',
    [waiting.taskId],
  );
  expect(Number(row?.events)).toBe(row?.version);
});
