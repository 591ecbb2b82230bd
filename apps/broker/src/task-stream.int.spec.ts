import { v7 as uuidv7 } from 'uuid';
import { transact } from '#store/database.js';
import { readStored } from '#store/events.js';
import type { BrokerProcess, World } from '../test/harness.js';
import { writeHistory, type History } from '../test/history.js';
import { TaskStage } from '../test/task-stage.js';
import { STORIES } from '../test/task-stories.js';
import { ORCHESTRATOR } from '../test/voices.js';
import { TASK_SHAPE, verifyTask } from './task-stream.js';
import { UnitOfWork } from './unit-of-work.js';

/** Set to a release: what is played here is recorded as its histories. */
const RECORD_AS = process.env['MAYFLY_RECORD_HISTORIES'] ?? '';

let stage: TaskStage;
let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  stage = await TaskStage.open();
  ({ world, broker } = stage);
});
afterEach(() => world.close());

const verify = (taskId: string) => transact(world.schema.db, (tx) => verifyTask(tx, taskId));
const called = (taskId: string) => stage.called(taskId);

describe('the row of a task says what its stream says', () => {
  it.each(Object.entries(STORIES))('%s', async (name, { story, play }) => {
    const taskId = uuidv7();

    await play(stage, taskId);

    const history = await historyOf(taskId, story);
    expect(await verify(taskId)).toEqual({ same: true, version: history.events.length });
    expect(history.row).toMatchObject({ shape: TASK_SHAPE, version: history.events.length });
    if (RECORD_AS !== '') writeHistory(RECORD_AS, name, history);
  });

  it('and a row that says otherwise is found', async () => {
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId), await world.voices.ends(taskId));
    await world.query(`UPDATE task SET state = jsonb_set(state, '{status}', '"open"') WHERE task_id = $1`, [
      taskId,
    ]);

    expect(await verify(taskId)).toMatchObject({
      same: false,
      row: { status: 'open' },
      folded: { status: 'ended', version: 2 },
    });
    await world.query(`UPDATE task SET state = jsonb_set(state, '{status}', '"ended"'), status = 'open'`);
    expect(await verify(taskId)).toMatchObject({ same: false });
    expect(await verify(uuidv7())).toBeNull();
  });
});

async function historyOf(taskId: string, story: string): Promise<History> {
  const events = await transact(world.schema.db, (tx) => readStored(tx, taskId));
  const [row] = await world.query<History['row']>(
    'SELECT shape, version, status, state FROM task WHERE task_id = $1',
    [taskId],
  );
  if (row === undefined) throw new Error('the task has no row');
  return { story, taskId, events, row };
}

describe('a row that another release wrote', () => {
  /** Of the first shape, which knew no suspension; and with what only a fold can put right. */
  const asBefore = (taskId: string) =>
    world.query(
      `UPDATE task SET shape = 1, state = jsonb_set(state - 'suspendedFor', '{usage,calls}', '77') WHERE task_id = $1`,
      [taskId],
    );

  it('is folded anew from its stream once it is written about', async () => {
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId));
    await called(taskId);
    await asBefore(taskId);

    await broker.hear(await world.voices.ends(taskId));

    expect(await verify(taskId)).toEqual({ same: true, version: 5 });
    const [row] = await world.query('SELECT shape, status, state FROM task');
    expect(row).toMatchObject({
      shape: TASK_SHAPE,
      status: 'ended',
      state: { suspendedFor: [], usage: { calls: 1 } },
    });
  });

  it('is not made up for where its stream has an event of a later release', async () => {
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId, {}, ORCHESTRATOR));
    await asBefore(taskId);
    await world.query('UPDATE event SET schema_version = 2 WHERE stream = $1', [taskId]);

    const { db } = broker.parts;
    await expect(transact(db, (tx) => UnitOfWork.begin(tx, { taskIds: [taskId] }))).rejects.toMatchObject({
      code: 'ERR_EVENT_VERSION_UNKNOWN',
      fields: { stream: taskId, type: 'task.accepted', schemaVersion: 2 },
    });
  });
});
