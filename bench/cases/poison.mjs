/**
 * Five hundred reports of ten tasks with one in their middle that the broker cannot handle (a trigger of ours trips over it): how
 * much later the others have had their effect than without it, and what becomes of the task of the one: suspended where its
 * sender may report on it, left alone where the very same is said by a stranger.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { signEvent } from '../../dist/libs/agent/src/signed-event.js';

export const name = 'poison';
export const needsStack = true;

const REPORTS = 500;
const TASKS = 10;
const STRANGER = 'spiffe://dev.mayfly/agent/stranger';

export const run = ({ world }) => world.hearing(() => poison(world));

async function poison(world) {
  const database = new pg.Client({ connectionString: world.stack.urls.database });
  await database.connect();
  try {
    const tasks = await world.startTasks(TASKS);
    const [own, ofStranger] = await world.startTasks(2);
    const suspended = world.next('task.suspended', own);
    const plainMs = await handled(world, database, tasks, []);
    const poisonedMs = await handled(world, database, tasks, [reportOf(world.analyst, own)]);
    await suspended;
    const stranger = await world.identity(STRANGER);
    const strangerMs = await handled(world, database, tasks, [reportOf(stranger, ofStranger)]);
    const status = async (taskId) =>
      (await database.query('SELECT status FROM broker.task WHERE task_id = $1', [taskId])).rows[0].status;
    if ((await status(own)) !== 'suspended') throw new Error('the task of the record was not suspended');
    if ((await status(ofStranger)) !== 'open') throw new Error('a stranger suspended a task');
    return {
      'plain ms': Math.round(plainMs),
      'others later ms': Math.round(poisonedMs - plainMs),
      "others later by a stranger's ms": Math.round(strangerMs - plainMs),
    };
  } finally {
    await database.end();
  }
}

function reportOf({ svid, key }, taskId) {
  const data = { taskId, callId: uuidv7(), outcome: 'ok', rows: 1 };
  return signEvent({ type: 'tool.completed', data, svid, key });
}

/** @returns from before the send until every report but `odd` has had its effect */
async function handled(world, database, tasks, odd) {
  const reports = Array.from({ length: REPORTS - odd.length }, (_, n) =>
    reportOf(world.analyst, tasks[n % tasks.length]),
  );
  const before = await rowsReported(database, tasks);
  for (const { value } of odd) await tripOver(database, value);
  const startMs = performance.now();
  await world.bus.publish([...reports.slice(0, REPORTS / 2), ...odd, ...reports.slice(REPORTS / 2)]);
  while ((await rowsReported(database, tasks)) < before + reports.length) await sleep(2);
  const tookMs = performance.now() - startMs;
  for (let parked = odd.length === 0; !parked; await sleep(20))
    parked = (await database.query('SELECT FROM broker.dead_letter WHERE settled_at IS NULL')).rowCount > 0;
  await database.query('DROP FUNCTION IF EXISTS broker.trip CASCADE; TRUNCATE broker.dead_letter');
  return tookMs;
}

async function rowsReported(database, tasks) {
  const { rows } = await database.query(
    `SELECT sum((state -> 'usage' ->> 'rows')::int)::int AS n FROM broker.task WHERE task_id = ANY($1)`,
    [tasks],
  );
  return rows[0].n;
}

/** Whether it is accepted or refused. */
async function tripOver(database, value) {
  const digest = createHash('sha256').update(value).digest('hex');
  await database.query(`
    CREATE FUNCTION broker.trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too much'; END $$;
    CREATE TRIGGER accepted BEFORE INSERT ON broker.inbox FOR EACH ROW
      WHEN (NEW.value_sha256 = '${digest}') EXECUTE FUNCTION broker.trip();
    CREATE TRIGGER refused BEFORE INSERT ON broker.outbox FOR EACH ROW
      WHEN (NEW.extra ->> 'dlq-value-sha256' = '${digest}' AND NEW.extra ->> 'dlq-code' LIKE 'ERR_%')
      EXECUTE FUNCTION broker.trip();`);
}
