/** Amendments over HTTP: the decision of the bus, and the reply says which generation the task has, or all that is wrong. */
import { v7 as uuidv7 } from 'uuid';
import type { TaskAmended } from '#events/inbound.js';
import type { World } from '../../test/harness.js';
import { HttpWorld, type Caller } from '../../test/http-world.js';
import { ANALYST, inMs, ORCHESTRATOR, STRANGER } from '../../test/voices.js';

let http: HttpWorld;
let world: World;
let caller: Caller;
let taskId: string;
beforeEach(async () => {
  http = await HttpWorld.open();
  ({ world } = http);
  caller = await http.caller();
  taskId = await http.startedTask();
});
afterEach(() => http.close());

const amendment = (change: Partial<TaskAmended>, by = ORCHESTRATOR, id = uuidv7()) =>
  world.voices.says(by, 'task.amended', { taskId, ...change }, id);

it('answers with the new generation, and with the same when it is asked again', async () => {
  const record = await amendment({ deadline: inMs(600_000) });
  const expected = { status: 200, json: { taskId, generation: 2, state: 'open' } };

  expect(await caller.amend(record)).toMatchObject(expected);
  expect(await caller.amend(record)).toMatchObject(expected);
  await world.quiet();
  expect(world.events(taskId, 'task.amended')).toHaveLength(1);
});

it('answers with all that is wrong, also when it is asked again', async () => {
  const declared = [{ tool: 'sql.nothing', dataset: 'crm.nothing', actions: ['read'] }];
  const record = await amendment({ declared });
  const expected = {
    status: 422,
    json: {
      code: 'ERR_TOOL_UNKNOWN',
      problems: [
        { code: 'ERR_TOOL_UNKNOWN', fields: { tool: 'sql.nothing' } },
        { code: 'ERR_DATASET_UNKNOWN', fields: { dataset: 'crm.nothing' } },
      ],
      reasons: ['a tool nobody knows', 'a dataset nobody knows'],
    },
  };

  expect(await caller.amend(record)).toMatchObject(expected);
  expect(await caller.amend(record)).toMatchObject(expected);
  await world.quiet();
  expect(world.events(taskId, 'task.amendment_refused')).toHaveLength(1);
});

it.each([
  ['an agent', ANALYST],
  ['a stranger', STRANGER],
])('refuses %s', async (_who, by) => {
  expect(await caller.amend(await amendment({ rekey: ANALYST }, by))).toMatchObject({
    status: 403,
    json: { code: 'ERR_NOT_ENTITLED' },
  });
});

it('refuses what is sent to the path of another task', async () => {
  const record = await amendment({ deadline: inMs(600_000) });
  expect(await caller.post(`/v1/tasks/${uuidv7()}/amend`, record)).toMatchObject({
    status: 422,
    json: { code: 'ERR_PATH_MISMATCH' },
  });
});

it('tells all that is wrong with a start in the same way', async () => {
  const declared = [{ tool: 'sql.nothing', dataset: 'crm.nothing', actions: ['read'] }];
  expect(await caller.start(await world.voices.starts(uuidv7(), { declared }))).toMatchObject({
    status: 422,
    json: { problems: [{ code: 'ERR_TOOL_UNKNOWN' }, { code: 'ERR_DATASET_UNKNOWN' }] },
  });
});
