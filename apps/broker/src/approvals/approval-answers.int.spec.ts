/** What people say of a call that waits: what does not count, is of use once, is taken back, and is left after a crash. */
import { v7 as uuidv7 } from 'uuid';
import type { BrokerProcess, World } from '../../test/harness.js';
import { ANALYST, type called } from '../../test/voices.js';
import { codeOf, WaitingCalls, type Asked } from '../../test/waiting-calls.js';

const OLGA = 'user:olga@corp.example';
const PAVEL = 'user:pavel@corp.example';
const NADIA = 'user:nadia@corp.example';
const MARIA = 'user:maria@corp.example';

let calls: WaitingCalls;
let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  calls = await WaitingCalls.open();
  ({ world, broker } = calls);
});
afterEach(() => world.close());

const asked = () => calls.asked();
const grant = (...[waiting, by, process, digest]: Parameters<WaitingCalls['grant']>) =>
  calls.grant(waiting, by, process, digest);
const says = (waiting: Asked, is: 'refuse' | 'withdraw', by: string) => calls.says(waiting, is, by);
const refusals = (waiting: Asked) => calls.refusals(waiting);

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
