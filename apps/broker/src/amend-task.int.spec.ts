/** A task amended on the bus: a new authorization, after which nothing lent before is lent any more, and a no that changes nothing. */
import { v7 as uuidv7 } from 'uuid';
import type { TaskAmended } from '#events/inbound.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, inMs, ORCHESTRATOR, PLANNER } from '../test/voices.js';

const ORDERS = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
const CUSTOMERS = [{ tool: 'sql.query', dataset: 'crm.customers', actions: ['read'] }];

let world: World;
let broker: BrokerProcess;
let taskId: string;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
  taskId = uuidv7();
});
afterEach(() => world.close());

const start = async (change = {}) => broker.hear(await world.voices.starts(taskId, change));
const amendment = (change: Partial<TaskAmended>, by = ORCHESTRATOR) =>
  world.voices.says(by, 'task.amended', { taskId, ...change });
const amend = async (change: Partial<TaskAmended>, by?: string) => broker.hear(await amendment(change, by));

it('is told whole, and the next lease is of the new generation and of the new declaration', async () => {
  await start({ declared: ORDERS });
  const deadline = inMs(600_000);
  const event = await amendment({ declared: CUSTOMERS, deadline });
  await broker.hear(event, world.voices.again(event));
  await broker.hear(await world.voices.calls(taskId), await world.voices.calls(taskId, CALL_CUSTOMERS));

  expect(await world.hears(taskId, 'task.amended')).toMatchObject([
    {
      generation: 2,
      cause: 'amended',
      declared: CUSTOMERS,
      deadline,
      agents: [ANALYST],
      lineage: [{ taskId, generation: 2 }],
      causedBy: event.headers['ce_id']?.toString(),
    },
  ]);
  const [amended] = world.events(taskId, 'task.amended');
  const [kept] = await world.query('SELECT digest FROM decision_input WHERE digest = $1', [amended?.inputs]);
  expect(kept).toBeDefined();
  expect(await world.hears(taskId, 'call.decided', 2)).toMatchObject([
    { decision: 'deny', code: 'ERR_NOT_DECLARED', generation: 2 },
    { generation: 2 },
  ]);
});

const CALL_CUSTOMERS = { dataset: 'crm.customers' };

it('abandons a lease whose task was amended between intent and outcome', async () => {
  world.target.hang();
  await start();
  await broker.hear(await world.voices.calls(taskId));
  await world.until(() => world.target.creates.length === 1, 'the create');
  await amend({ deadline: inMs(600_000) });
  world.target.answerAll();

  expect(await world.hears(taskId, 'lease.abandoned')).toMatchObject([
    { answered: true, why: 'generation_changed', generation: 1 },
  ]);
  expect(world.events(taskId, 'lease.issued')).toEqual([]);
  await broker.hear(await world.voices.calls(taskId));
  world.target.answerAll();
  expect(await world.hears(taskId, 'lease.issued')).toMatchObject([{ generation: 2 }]);
});

it('is refused with all that is wrong with it, and the task goes on as it was', async () => {
  await start();
  await amend({
    declared: [
      { tool: 'sql.nothing', dataset: 'crm.nothing', actions: ['read'] },
      { tool: 'sql.query', dataset: 'crm.orders', actions: ['burn'], agents: [PLANNER] },
    ],
    deadline: inMs(-1_000),
  });
  await broker.hear(await world.voices.calls(taskId));

  const [refused] = await world.hears(taskId, 'task.amendment_refused');
  expect(refused).toMatchObject({ code: 'ERR_DEADLINE_PAST', generation: 1 });
  expect(refused?.problems?.map(({ code }) => code)).toEqual([
    'ERR_DEADLINE_PAST',
    'ERR_TOOL_UNKNOWN',
    'ERR_DATASET_UNKNOWN',
    'ERR_DECLARATION_INVALID',
    'ERR_DECLARATION_INVALID',
  ]);
  expect(await world.hears(taskId, 'lease.issued')).toMatchObject([{ generation: 1 }]);
});

it('is rejected from anybody but who started the task', async () => {
  await start();
  await amend({ rekey: ANALYST }, ANALYST);

  expect(await world.hears(taskId, 'event.rejected')).toMatchObject([
    { code: 'ERR_NOT_ENTITLED', sender: ANALYST },
  ]);
  expect(world.events(taskId, 'task.amended')).toEqual([]);
});

it('is rejected for a task that nobody declared, and burns no id', async () => {
  const event = await amendment({ deadline: inMs(600_000) });
  await broker.hear(event);

  expect(await world.hears(taskId, 'event.rejected')).toMatchObject([{ code: 'ERR_TASK_UNKNOWN' }]);
  await start();
  await broker.hear(world.voices.again(event));
  expect(await world.hears(taskId, 'task.amended')).toMatchObject([{ generation: 2 }]);
});

it('that re-keys an agent takes its next key, and the former one never again', async () => {
  await start();
  await broker.hear(await world.voices.calls(taskId));
  await world.hears(taskId, 'lease.issued');
  const second = await world.voices.newly(ANALYST);
  await broker.hear(await world.voices.calls(taskId, {}, second));
  expect(await world.hears(taskId, 'event.rejected')).toMatchObject([{ code: 'ERR_KEY_CHANGED' }]);

  await amend({ rekey: ANALYST });
  await broker.hear(await world.voices.calls(taskId), await world.voices.calls(taskId, {}, second));

  expect(await world.hears(taskId, 'task.amended')).toMatchObject([{ cause: 'rekeyed', rekeyed: ANALYST }]);
  expect(await world.hears(taskId, 'event.rejected', 2)).toMatchObject([{}, { code: 'ERR_KEY_CHANGED' }]);
  expect(await world.hears(taskId, 'lease.issued', 2)).toMatchObject([{ generation: 1 }, { generation: 2 }]);
});
