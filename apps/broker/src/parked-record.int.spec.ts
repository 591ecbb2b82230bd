/** A record that our own code cannot handle: others go on, its task fails closed, and it is handled after all at an operator's word. */
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { sha256Hex } from '#store/parking.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, ORCHESTRATOR } from '../test/voices.js';
import { releaseParked } from './release-parked.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

/** A bug that only this record meets, whether it is accepted or refused. */
async function cannotHandle(record: BusRecord): Promise<void> {
  const digest = sha256Hex(record.value ?? '');
  await world.query(`
    CREATE OR REPLACE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'this one is too much' USING ERRCODE = 'P0001'; END $$;
    CREATE TRIGGER accepted BEFORE INSERT ON inbox FOR EACH ROW
      WHEN (NEW.value_sha256 = '${digest}') EXECUTE FUNCTION trip();
    CREATE TRIGGER refused BEFORE INSERT ON outbox FOR EACH ROW
      WHEN (NEW.extra ->> 'dlq-value-sha256' = '${digest}' AND NEW.extra ->> 'dlq-code' LIKE 'ERR_%') EXECUTE FUNCTION trip();`);
}
const canHandleAll = () => world.query('DROP FUNCTION trip CASCADE');

const order = (state: 'retry' | 'drop') =>
  world.query(
    `UPDATE dead_letter SET state = $1, ordered_by = 'maria', ordered_at = now() WHERE why = 'bug'`,
    [state],
  );
async function release(): Promise<void> {
  await releaseParked(
    broker.parts,
    ({ queued, intents }) => void broker.broker.issuer.take(intents, broker.parts.relay.send(queued)),
  );
  await world.quiet();
}

async function started(count = 1): Promise<string[]> {
  const tasks = Array.from({ length: count }, () => uuidv7());
  for (const taskId of tasks) await broker.hear(await world.voices.starts(taskId));
  return tasks;
}
async function reports(tasks: readonly string[], count: number, rows: number): Promise<BusRecord[]> {
  const records: BusRecord[] = [];
  for (let i = 0; i < count; i += 1) {
    const taskId = tasks[i % tasks.length] ?? '';
    const data = { taskId, callId: uuidv7(), outcome: 'ok' as const, rows };
    records.push(await world.voices.says(ANALYST, 'tool.completed', data));
  }
  return records;
}
const rowsReported = async (taskId: string) =>
  (
    await world.query<{ rows: number }>(
      `SELECT (state -> 'usage' ->> 'rows')::int AS rows FROM task WHERE task_id = $1`,
      [taskId],
    )
  )[0]?.rows;

it('in a batch of 500 lets other tasks go on, and its own task ends closed', async () => {
  const others = await started(10);
  const [own] = (await started()) as [string];
  await broker.hear(await world.voices.calls(own));
  await world.hears(own, 'lease.issued');
  const before = await reports(others, 250, 1);
  const poison = await world.voices.calls(own);
  await cannotHandle(poison);
  const after = await reports(others, 249, 1);

  await broker.hear(...before, poison, ...after);

  expect(await Promise.all(others.map(rowsReported))).toEqual(others.map((_, i) => (i < 9 ? 50 : 49)));
  expect(await world.hears(own, 'task.suspended')).toMatchObject([{ generation: 2, cause: 'parked' }]);
  expect(await world.hears(own, 'dead_letter.parked')).toMatchObject([
    { why: 'bug', code: 'P0001', holds: true },
  ]);
  await broker.hear(await world.voices.calls(own));
  expect(await world.hears(own, 'dead_letter.parked', 2)).toMatchObject([{}, { why: 'behind' }]);
  expect(world.events(own, 'lease.issued')).toHaveLength(1);
});

it('of a stranger leaves the task alone', async () => {
  const [own] = (await started()) as [string];
  const poison = await world.voices.calls(own, {}, 'spiffe://dev.mayfly/agent/stranger');
  await cannotHandle(poison);

  await broker.hear(poison);
  await broker.hear(await world.voices.calls(own));

  await world.hears(own, 'lease.issued');
  expect(world.events(own, 'task.suspended')).toEqual([]);
  expect(await world.hears('unknown', 'dead_letter.parked')).toMatchObject([{ why: 'bug', holds: false }]);
});

it('of another orchestrator than the task has leaves the task alone', async () => {
  const [own] = (await started()) as [string];
  const poison = await world.voices.starts(own, {}, 'spiffe://dev.mayfly/orchestrator/stranger');
  await cannotHandle(poison);

  await broker.hear(poison);
  await broker.hear(await world.voices.calls(own));

  await world.hears(own, 'lease.issued');
  expect(world.events(own, 'task.suspended')).toEqual([]);
});

it('makes way even where its task is what is broken, and nothing more is decided of it', async () => {
  const [own, other] = (await started(2)) as [string, string];
  await world.query(
    `UPDATE task SET version = 0, state = jsonb_set(state, '{version}', '0') WHERE task_id = $1`,
    [own],
  );

  await broker.hear(await world.voices.calls(own), await world.voices.calls(other));
  await broker.hear(await world.voices.calls(own));

  await world.hears(other, 'lease.issued');
  expect(await world.hears(own, 'dead_letter.parked', 2)).toMatchObject([
    { why: 'bug', code: 'ERR_VERSION_TAKEN', holds: true },
    { why: 'behind' },
  ]);
  expect(world.events(own, 'call.decided')).toEqual([]);
  expect(world.logged.join('')).toContain('the task of a parked record cannot be read or suspended');
});

it('has only those wait behind it who may speak in the task', async () => {
  const [own] = (await started()) as [string];
  const poison = await world.voices.calls(own);
  await cannotHandle(poison);

  await broker.hear(poison, await world.voices.calls(own, {}, 'spiffe://dev.mayfly/agent/stranger'));
  await broker.hear(await world.voices.ends(own, ORCHESTRATOR));

  expect(await world.hears(own, 'dead_letter.parked', 2)).toMatchObject([{ why: 'bug' }, { why: 'behind' }]);
  expect(await world.hears(own, 'event.rejected')).toMatchObject([{ code: 'ERR_AGENT_NOT_NAMED' }]);
});

it('is handled at an order to retry, with what waits behind it in order, and the task is open again', async () => {
  const [own] = (await started()) as [string];
  const poison = await world.voices.says(ANALYST, 'tool.completed', {
    taskId: own,
    callId: uuidv7(),
    outcome: 'ok',
    rows: 7,
  });
  await cannotHandle(poison);
  await broker.hear(poison, ...(await reports([own], 2, 1)));
  expect(await rowsReported(own)).toBe(0);

  await order('retry');
  await release();
  expect(await world.query(`SELECT attempts, state FROM dead_letter WHERE why = 'bug'`)).toEqual([
    { attempts: 2, state: 'parked' },
  ]);
  await canHandleAll();
  await order('retry');
  await release();

  expect(await rowsReported(own)).toBe(9);
  expect(await world.hears(own, 'task.resumed')).toMatchObject([{ generation: 2 }]);
  await broker.hear(await world.voices.calls(own));
  expect(await world.hears(own, 'lease.intended')).toMatchObject([{ generation: 2 }]);
});

it('is given up at an order to drop: the end that waited behind it ends the task', async () => {
  const [own] = (await started()) as [string];
  const poison = await world.voices.calls(own);
  await cannotHandle(poison);
  await broker.hear(poison, await world.voices.ends(own, ORCHESTRATOR));
  expect(world.events(own, 'task.ended')).toEqual([]);

  await order('drop');
  await release();

  expect(await world.hears(own, 'task.ended')).toMatchObject([{ outcome: 'completed' }]);
  expect(world.events(own, 'lease.intended')).toEqual([]);
});
