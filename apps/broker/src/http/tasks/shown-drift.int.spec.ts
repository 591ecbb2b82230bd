/** Tasks over HTTP: how far they have drifted, and who is shown that. */
import { v7 as uuidv7 } from 'uuid';
import { transact } from '#store/database.js';
import type { World } from '../../../test/harness.js';
import { HttpWorld, type Door } from '../../../test/http-world.js';
import { ANALYST, called, ORCHESTRATOR } from '../../../test/voices.js';
import { readDriftView } from '../../drift-view.js';
import { readTasks } from '../../task-rows.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';
const MARIA = 'user:maria@corp.example';
const NOBODYS = '01930000-0000-7000-8000-0000000000ff';
const OPERATOR = 'spiffe://dev.mayfly/operator/dev';
const READS = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
const NONE = { requested: 0, granted: 0, refused: 0, waiting: 0, used: 0, rows: 0 };

let http: HttpWorld;
let world: World;
let door: Door;
beforeEach(async () => {
  http = await HttpWorld.open();
  ({ world } = http);
  door = await http.door(http.broker, { isPrivate: () => true });
});
afterEach(() => http.close());

const send = (method: 'GET', path: string, token: string | null) => http.askOfTask(door, method, path, token);
const drift = async (person: string, taskId: string) =>
  send('GET', `${taskId}/drift`, await world.login(person));

/** One call that came to a credential and was used, one that was refused, one outside the declaration. */
async function busyTask(): Promise<string> {
  const taskId = await http.startedTask();
  const { voices } = world;
  const call = called(taskId);
  await http.broker.hear(
    await voices.says(ANALYST, 'tool.called', call),
    await voices.calls(taskId, { dataset: 'hr.salaries' }),
    await voices.calls(taskId, { action: 'write' }),
  );
  await world.hears(taskId, 'lease.issued');
  const { callId } = call;
  await http.broker.hear(
    await voices.says(ANALYST, 'tool.completed', { taskId, callId, outcome: 'ok', rows: 42 }),
  );
  return taskId;
}

describe('the drift of a task', () => {
  it('is shown beside what was declared, asked for, granted and used', async () => {
    const taskId = await busyTask();

    expect(await drift(NADIA, taskId)).toMatchObject({
      status: 200,
      json: {
        ...{ taskId, state: 'open', generation: 1, suspendedFor: [], score: 25 },
        signals: [{ signal: 'action_creep', agent: ANALYST, count: 1 }],
        rows: [
          { agent: ANALYST, ...READS, declared: true, ...NONE, requested: 1, granted: 1, used: 1, rows: 42 },
          { agent: ANALYST, ...READS, action: 'write', declared: false, ...NONE, requested: 1, refused: 1 },
          { agent: ANALYST, ...READS, dataset: 'hr.salaries', declared: true, requested: 1, refused: 1 },
        ],
        unattributed: { reports: 0, rows: 0 },
        counted: { complete: true },
      },
    });
  });

  it('is shown as it is declared by now', async () => {
    const taskId = await http.startedTask();
    const declared = [{ tool: 'sql.query', dataset: 'crm.customers', actions: ['read'] }];
    await http.broker.hear(await world.voices.says(ORCHESTRATOR, 'task.amended', { taskId, declared }));

    expect((await drift(NADIA, taskId)).json).toMatchObject({
      generation: 2,
      rows: [{ dataset: 'crm.customers', declared: true, ...NONE }],
    });
  });

  it('is counted from the newest events where there are too many, and says so', async () => {
    const taskId = await busyTask();
    const { db } = http.broker.parts;
    const of = (eventsMax: number) =>
      transact(db, async (tx) => readDriftView(tx, (await readTasks(tx, [taskId])).get(taskId)!, eventsMax));
    const whole = await of(1_000);
    const { events } = whole.counted;
    const newest = await of(1);

    expect(whole.counted).toMatchObject({ complete: true });
    expect((await of(events)).counted).toEqual({ events, complete: true });
    expect((await of(events - 1)).counted).toEqual({ events: events - 1, complete: false });
    expect(newest.table.unattributed).toEqual({ reports: 1, rows: 42 });
    expect(newest.table.rows).toMatchObject([
      { declared: true, ...NONE },
      { declared: true, ...NONE },
    ]);
  });

  it.each([
    ['an operator', NADIA],
    ['an approver', OLGA],
  ])('is shown to %s', async (_who, person) => {
    expect((await drift(person, await http.startedTask())).status).toBe(200);
  });

  it.each([
    ['a service with a role', OPERATOR],
    ['the orchestrator that started it', ORCHESTRATOR],
  ])('is shown to %s', async (_who, id) => {
    const taskId = await http.startedTask();

    expect((await send('GET', `${taskId}/drift`, await world.svid(id, 'mayfly', 300))).status).toBe(200);
  });

  it('is hidden from everybody else, as if there were no such task', async () => {
    const taskId = await http.startedTask();
    const asAgent = await world.svid(ANALYST, 'mayfly', 300);
    const replies = await Promise.all([
      drift(MARIA, taskId),
      drift(MARIA, uuidv7()),
      drift(MARIA, 'no-id'),
      send('GET', `${taskId}/drift`, asAgent),
    ]);

    for (const reply of replies)
      expect(reply).toMatchObject({ status: 403, json: { code: 'ERR_NOT_ENTITLED' } });
    expect((await send('GET', `${taskId}/drift`, null)).json.code).toBe('ERR_BEARER_MISSING');
  });

  it.each([NOBODYS, 'no-id', '%00'])('is not there of a task that nobody declared: %s', async (id) => {
    expect(await drift(NADIA, id)).toMatchObject({ status: 404, json: { code: 'ERR_TASK_UNKNOWN' } });
  });

  it('is not told over a way that others read', async () => {
    const taskId = await http.startedTask();
    door = await http.door(http.broker, { isPrivate: () => false });

    expect((await drift(NADIA, taskId)).json.code).toBe('ERR_TLS_REQUIRED');
  });
});
