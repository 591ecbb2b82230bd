/** Tasks over HTTP: the people who stop them and let them go on. */
import { v7 as uuidv7 } from 'uuid';
import { decideSuspension } from '#events/suspend-task.js';
import { transact } from '#store/database.js';
import type { World } from '../../../test/harness.js';
import { HttpWorld, type Door } from '../../../test/http-world.js';
import { ANALYST } from '../../../test/voices.js';
import { UnitOfWork } from '../../unit-of-work.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';
const MARIA = 'user:maria@corp.example';
const OPERATOR = 'spiffe://dev.mayfly/operator/dev';

let http: HttpWorld;
let world: World;
let door: Door;
beforeEach(async () => {
  http = await HttpWorld.open();
  ({ world } = http);
  door = await http.door(http.broker, { isPrivate: () => true });
});
afterEach(() => http.close());

const send = (method: 'GET' | 'POST', path: string, token: string | null, body?: unknown) =>
  http.askOfTask(door, method, path, token, body);
const drift = async (person: string, taskId: string) =>
  send('GET', `${taskId}/drift`, await world.login(person));
const order = async (person: string, verb: 'suspend' | 'resume', taskId: string, reason = 'seen') =>
  send('POST', `${taskId}/${verb}`, await world.login(person), { reason });

/** `drift`: as it is once the score has reached its threshold. */
async function suspendFor(cause: 'drift' | 'parked', taskId: string): Promise<void> {
  const { db, relay, instanceId } = http.broker.parts;
  const queued = await transact(db, async (tx) => {
    const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
    const facts = { cause, causedBy: undefined, nowMs: work.nowMs };
    for (const event of decideSuspension(work.task(taskId), facts)) work.record(taskId, event);
    return await work.flush(instanceId);
  });
  await relay.send(queued);
}

describe('an operator', () => {
  it('stops a task, which costs it its calls, and lets it go on in a new generation', async () => {
    const taskId = await http.startedTask();
    const stopped = await order(NADIA, 'suspend', taskId, 'odd hours');
    await http.broker.hear(await world.voices.calls(taskId));
    const [refused] = await world.delivers(taskId, 'call.refused');
    const going = await order(NADIA, 'resume', taskId, 'it was the month end');
    await http.broker.hear(await world.voices.calls(taskId));

    expect(stopped).toMatchObject({
      status: 200,
      json: { taskId, state: 'suspended', generation: 2, suspendedFor: ['operator'], changed: true },
    });
    expect(refused?.data).toMatchObject({ code: 'ERR_TASK_SUSPENDED' });
    expect(going.json).toEqual({ taskId, state: 'open', generation: 2, suspendedFor: [], changed: true });
    expect(await world.hears(taskId, 'lease.issued')).toMatchObject([{ generation: 2 }]);
    expect(await world.hears(taskId, 'task.suspended')).toMatchObject([
      { generation: 2, cause: 'operator', actor: NADIA, reason: 'odd hours' },
    ]);
    expect(await world.hears(taskId, 'task.resumed')).toMatchObject([
      { generation: 2, cause: 'operator', actor: NADIA, reason: 'it was the month end' },
    ]);
  });

  it('who stops it again changes nothing', async () => {
    const taskId = await http.startedTask();
    await order(NADIA, 'suspend', taskId);

    expect(await order(NADIA, 'suspend', taskId)).toMatchObject({
      status: 200,
      json: { state: 'suspended', generation: 2, changed: false },
    });
    expect(world.events(taskId, 'task.suspended')).toHaveLength(1);
  });

  it('who lets a task go on that nobody stopped changes nothing', async () => {
    const taskId = await http.startedTask();

    expect(await order(NADIA, 'resume', taskId)).toMatchObject({
      status: 200,
      json: { state: 'open', generation: 1, changed: false },
    });
    expect(world.events(taskId, 'task.resumed')).toEqual([]);
  });

  it('hears that a task is over, or not there', async () => {
    const taskId = await http.startedTask();
    await http.broker.hear(await world.voices.ends(taskId));

    expect(await order(NADIA, 'suspend', taskId)).toMatchObject({
      status: 403,
      json: { code: 'ERR_TASK_ENDED' },
    });
    for (const id of [uuidv7(), 'no-id', '%00'])
      expect(await order(NADIA, 'suspend', id)).toMatchObject({
        status: 404,
        json: { code: 'ERR_TASK_UNKNOWN' },
      });
  });
});

describe('a task that was suspended otherwise', () => {
  it('for drift goes on by the word of an approver, with nothing to its name', async () => {
    const taskId = await http.startedTask();
    for (let n = 0; n < 4; n += 1)
      await http.broker.hear(await world.voices.calls(taskId, { dataset: 'crm.customers' }));
    const before = await drift(OLGA, taskId);
    const going = await order(OLGA, 'resume', taskId, 'seen with Maria');
    const after = await drift(OLGA, taskId);

    expect(before.json).toMatchObject({
      ...{ state: 'suspended', generation: 2, suspendedFor: ['drift'], score: 100 },
      signals: [{ signal: 'dataset_creep', agent: ANALYST, count: 4 }],
    });
    expect(going.json).toMatchObject({ state: 'open', generation: 2, changed: true });
    expect(after.json).toMatchObject({ state: 'open', score: 0, signals: [] });
    expect(after.json['rows']).toContainEqual(
      expect.objectContaining({ dataset: 'crm.customers', declared: false, requested: 4, refused: 4 }),
    );
    expect(await world.hears(taskId, 'task.resumed')).toMatchObject([
      { cause: 'drift', actor: OLGA, reason: 'seen with Maria' },
    ]);
  });

  it('for drift stays suspended where an operator had stopped it as well', async () => {
    const taskId = await http.startedTask();
    await suspendFor('drift', taskId);
    await order(NADIA, 'suspend', taskId);

    expect((await order(OLGA, 'resume', taskId)).json).toMatchObject({
      ...{ state: 'suspended', generation: 3, suspendedFor: ['operator'], changed: true },
    });
  });

  it('stays suspended while a record of it is parked, of which people are told', async () => {
    const taskId = await http.startedTask();
    await suspendFor('parked', taskId);

    for (const person of [OLGA, NADIA])
      expect(await order(person, 'resume', taskId)).toMatchObject({
        status: 409,
        json: { code: 'ERR_TASK_NOT_DRIFTED' },
      });
    expect(world.events(taskId, 'task.resumed')).toEqual([]);
  });

  it('for drift does not go on by the word of an operator, nor of for whom it runs, and that is recorded', async () => {
    const taskId = await http.startedTask({ principal: { id: OLGA, kind: 'human' } });
    await suspendFor('drift', taskId);

    expect(await order(NADIA, 'resume', taskId)).toMatchObject({
      status: 403,
      json: { code: 'ERR_NOT_ENTITLED' },
    });
    expect(await order(OLGA, 'resume', taskId)).toMatchObject({
      status: 403,
      json: { code: 'ERR_APPROVER_INVOLVED' },
    });
    expect(await world.hears(taskId, 'task.order_rejected', 2)).toMatchObject([
      { by: NADIA, actor: NADIA, order: 'resume', code: 'ERR_NOT_ENTITLED' },
      { by: OLGA, actor: OLGA, order: 'resume', code: 'ERR_APPROVER_INVOLVED' },
    ]);
    expect(world.events(taskId, 'task.resumed')).toEqual([]);
  });
});

describe('whoever may not', () => {
  it.each([
    ['an approver', OLGA],
    ['the person for whom the task runs', MARIA],
  ])('does not stop a task: %s', async (_who, person) => {
    const taskId = await http.startedTask();

    expect(await order(person, 'suspend', taskId)).toMatchObject({
      status: 403,
      json: { code: 'ERR_NOT_ENTITLED' },
    });
    expect(await world.hears(taskId, 'task.order_rejected')).toMatchObject([
      { by: person, order: 'suspend', code: 'ERR_NOT_ENTITLED' },
    ]);
    expect(world.events(taskId, 'task.suspended')).toEqual([]);
  });

  it('is a service: tasks are stopped by people', async () => {
    const taskId = await http.startedTask();
    const token = await world.svid(OPERATOR, 'mayfly', 300);

    expect((await send('POST', `${taskId}/suspend`, token, { reason: 'x' })).json.code).toBe(
      'ERR_NOT_ENTITLED',
    );
  });

  it('learns nothing of a task that is not there', async () => {
    expect((await order(MARIA, 'suspend', uuidv7())).json.code).toBe('ERR_NOT_ENTITLED');
  });

  it.each([
    ['no reason', {}, 422, 'ERR_PARAMETER_INVALID'],
    ['an empty reason', { reason: ' ' }, 422, 'ERR_PARAMETER_INVALID'],
    ['a reason of several lines', { reason: 'a\nb' }, 422, 'ERR_PARAMETER_INVALID'],
    ['a reason that no table takes', { reason: 'a\u0000b' }, 422, 'ERR_PARAMETER_INVALID'],
    ['what it does not know', { reason: 'x', force: true }, 422, 'ERR_PARAMETER_INVALID'],
    ['what is no JSON', '{', 422, 'ERR_PARAMETER_INVALID'],
    ['too much', { reason: 'x'.repeat(5_000) }, 413, 'ERR_BODY_TOO_LARGE'],
  ])('is told of %s', async (_what, body, status, code) => {
    const taskId = await http.startedTask();
    const token = await world.login(NADIA);

    expect(await send('POST', `${taskId}/suspend`, token, body)).toMatchObject({ status, json: { code } });
    expect(world.events(taskId, 'task.suspended')).toEqual([]);
  });

  it('is not believed without a good token', async () => {
    const taskId = await http.startedTask();
    const old = await world.login(NADIA, { nowMs: Date.now() - 600_000 });
    const code = async (token: string | null) =>
      (await send('POST', `${taskId}/suspend`, token, { reason: 'x' })).json.code;

    expect(await code(null)).toBe('ERR_BEARER_MISSING');
    expect(await code(old)).toBe('ERR_SVID_EXPIRED');
  });
});
