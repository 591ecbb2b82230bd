/** The end of a task is told of all its descendants, also where a process died in between. */
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, inMs } from '../test/voices.js';
import { endChildren } from './end-children.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

const deadline = inMs(600_000);
const delegable = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];

async function child(parent: string, taskId = uuidv7()): Promise<string> {
  const change = { parent: { taskId: parent }, declared: delegable, delegable, deadline };
  await broker.hear(await world.voices.starts(taskId, change, ANALYST));
  return taskId;
}
async function root(): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, { delegable }));
  return taskId;
}
const endOf = (taskId: string) => world.events(taskId, 'task.ended').map(({ outcome }) => outcome);

it('ends children and their children, once, and nobody else', async () => {
  const [ended, living] = [await root(), await root()];
  const children = [await child(ended), await child(ended)];
  const grandchild = await child(children[0] ?? '');
  const other = await child(living);
  await broker.hear(await world.voices.ends(ended));

  await endChildren(broker.parts);
  await endChildren(broker.parts);
  await world.quiet();

  expect([...children, grandchild].map(endOf)).toEqual([
    ['parent_ended'],
    ['parent_ended'],
    ['parent_ended'],
  ]);
  expect(endOf(ended)).toEqual(['completed']);
  expect(endOf(other)).toEqual([]);
  const counted = await world.query<{ task_id: string }>(
    'SELECT task_id FROM task_sender WHERE sender = $1',
    [ANALYST],
  );
  expect(counted.map(({ task_id }) => task_id)).toEqual([other]);
});

it('finds them in the rows, whoever read the end', async () => {
  const parent = await root();
  const orphan = await child(parent);
  await broker.hear(await world.voices.ends(parent));
  await broker.die();
  const heir = await world.start();

  await endChildren(heir.parts);
  await world.quiet();

  expect(endOf(orphan)).toEqual(['parent_ended']);
});

it('goes on until none is left, so many in one transaction', async () => {
  const parent = await root();
  await child(parent);
  // More of them, as they would be had they been declared.
  await world.query(
    `INSERT INTO task (task_id, status, ancestors, state, shape)
       SELECT id, 'open', ancestors, jsonb_set(state, '{taskId}', to_jsonb(id)), shape
         FROM task, (SELECT gen_random_uuid()::text AS id FROM generate_series(1, 150)) AS more
        WHERE ancestors <> '{}'`,
  );
  await broker.hear(await world.voices.ends(parent));

  await endChildren(broker.parts);

  const left = await world.query("SELECT 1 FROM task WHERE status <> 'ended'");
  expect(left).toEqual([]);
  const commits = await world.query(
    "SELECT DISTINCT xmin::text FROM event WHERE type = 'task.ended' AND data->>'outcome' = 'parent_ended'",
  );
  expect(commits).toHaveLength(2);
});
