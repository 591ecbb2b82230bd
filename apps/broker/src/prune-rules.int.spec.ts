import { v7 as uuidv7 } from 'uuid';
import { retentionOf, retentionSchema, type Retention } from '#config/retention.js';
import { Pruner } from '#store/prune.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, called, inMs, ORCHESTRATOR } from '../test/voices.js';
import { brokerRules } from './prune-rules.js';

const HOUR = "interval '1 hour'";
const byDefault = retentionOf(retentionSchema.parse({}));
const nothingIsKept: Retention = { inboxMs: 0, endedMs: 0, streamMs: 0, decisionInputMs: 0 };

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

async function prunes(change: Partial<Retention> = {}): Promise<Record<string, number>> {
  const pruned: Record<string, number> = {};
  await new Pruner({
    db: world.schema.db,
    rules: brokerRules({ ...byDefault, ...change }),
    onPruned: (rule, rows) => (pruned[rule] = (pruned[rule] ?? 0) + rows),
    warn: (fields, message) => {
      throw new Error(message, { cause: (fields as { err?: unknown }).err });
    },
  }).run();
  return pruned;
}
/** A task with an issued lease, ended, whose deadline was so many hours ago. */
async function endedTask(overHours: number): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId));
  await world.hears(taskId, 'lease.issued');
  await broker.hear(await world.voices.ends(taskId));
  await wasOver(taskId, overHours);
  return taskId;
}
const wasOver = (taskId: string, hours: number) =>
  world.query(`UPDATE task SET deadline_at = now() - $2::float8 * ${HOUR} WHERE task_id = $1`, [
    taskId,
    hours,
  ]);

/** Rows of a task, by table. */
async function keptOf(taskId: string) {
  const [row] = await world.query<Record<'task' | 'event' | 'call' | 'lease' | 'sender', number>>(
    `SELECT (SELECT count(*) FROM task WHERE task_id = $1)::int AS task,
            (SELECT count(*) FROM event WHERE stream = $1)::int AS event,
            (SELECT count(*) FROM call WHERE task_id = $1)::int AS call,
            (SELECT count(*) FROM lease WHERE task_id = $1)::int AS lease,
            (SELECT count(*) FROM task_sender WHERE task_id = $1)::int AS sender`,
    [taskId],
  );
  return row;
}
/** Who acted in it is forgotten at its end. */
const ALL = { task: 1, event: 5, call: 1, lease: 1, sender: 0 };
const NOTHING = { task: 0, event: 0, call: 0, lease: 0, sender: 0 };

it('drops calls, leases and senders of an ended task a day after its deadline, and keeps row and stream', async () => {
  const over = await endedTask(24.1);
  const fresh = await endedTask(23.9);
  expect(await keptOf(over)).toEqual(ALL);

  expect(await prunes()).toEqual({ calls: 1 });

  expect(await keptOf(over)).toEqual({ ...NOTHING, task: 1, event: 5 });
  expect(await keptOf(fresh)).toEqual(ALL);
  expect(await prunes()).toEqual({});
});

it('drops abandoned leases with the others', async () => {
  world.target.answer = () => ({ answer: 'refused', code: 'ERR_TARGET_REFUSED' });
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId));
  await world.hears(taskId, 'lease.abandoned');
  await broker.hear(await world.voices.ends(taskId));
  await wasOver(taskId, 25);

  expect(await prunes()).toEqual({ calls: 1 });
  expect(await keptOf(taskId)).toMatchObject({ lease: 0, call: 0 });
});

it('drops the row of an ended task with its stream after thirty days, however late its calls went', async () => {
  const over = await endedTask(30 * 24 + 0.1);
  const fresh = await endedTask(30 * 24 - 0.1);

  expect(await prunes()).toEqual({ calls: 2, ended_tasks: 1 });

  expect(await keptOf(over)).toEqual(NOTHING);
  expect(await keptOf(fresh)).toEqual({ ...NOTHING, task: 1, event: 5 });
});

it('keeps everything of a task that is open, however long its deadline has passed', async () => {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId));
  await world.hears(taskId, 'lease.issued');
  await wasOver(taskId, 10_000);
  await world.query(`UPDATE task SET heard_at = now() - 10000 * ${HOUR}`);
  const before = await keptOf(taskId);

  expect(
    await prunes({
      ...nothingIsKept,
      inboxMs: byDefault.inboxMs,
      decisionInputMs: byDefault.decisionInputMs,
    }),
  ).toEqual({});
  expect(await keptOf(taskId)).toEqual(before);
});

it('keeps an ended task with a lease that is not decided', async () => {
  world.target.hang();
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId));
  await broker.hear(await world.voices.ends(taskId));
  await wasOver(taskId, 10_000);

  expect(await prunes()).toEqual({});

  world.target.answerAll();
  await world.hears(taskId, 'lease.abandoned');
  await wasOver(taskId, 10_000);
  expect(await prunes()).toEqual({ calls: 1, ended_tasks: 1 });
});

it('drops what was only heard to end, and refused starts, once no topic can hold a start of them', async () => {
  const [early, fresh, refused] = [uuidv7(), uuidv7(), uuidv7()];
  await broker.hear(
    await world.voices.ends(early),
    await world.voices.ends(fresh),
    await world.voices.starts(refused, { purpose: 'Look around', deadline: inMs(-1_000) }),
  );
  await world.query(`UPDATE task SET heard_at = now() - 15.01 * 24 * ${HOUR} WHERE task_id = ANY($1)`, [
    [early, refused],
  ]);
  expect(await keptOf(early)).toEqual({ ...NOTHING, task: 1, event: 1 });
  expect(await keptOf(refused)).toEqual({ ...NOTHING, task: 1 });

  expect(await prunes()).toEqual({ unknown_tasks: 2 });

  expect(await keptOf(early)).toEqual(NOTHING);
  expect(await keptOf(refused)).toEqual(NOTHING);
  expect(await keptOf(fresh)).toEqual({ ...NOTHING, task: 1, event: 1 });
});

it('keeps the inputs of a decision as long as the log keeps what names them', async () => {
  await endedTask(0);
  const kept = () => world.query('SELECT digest FROM decision_input');
  const [one, ...others] = await kept();
  await world.query(`UPDATE decision_input SET kept_at = now() - 400.01 * 24 * ${HOUR} WHERE digest = $1`, [
    (one as { digest: string }).digest,
  ]);

  expect(await prunes()).toEqual({ decision_inputs: 1 });
  expect(await kept()).toEqual(others);
});

it('answers a call that is asked again after its day with a refusal, and forgets that too', async () => {
  const taskId = uuidv7();
  const call = called(taskId);
  await broker.hear(await world.voices.starts(taskId), await world.voices.says(ANALYST, 'tool.called', call));
  await world.hears(taskId, 'lease.issued');
  await broker.hear(await world.voices.ends(taskId));
  await wasOver(taskId, 25);
  await prunes();

  await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));

  const [refused] = await world.delivers(taskId, 'call.refused');
  expect(refused?.data).toMatchObject({ code: 'ERR_TASK_ENDED' });
  expect(world.events(taskId, 'lease.issued')).toHaveLength(1);
  expect(await keptOf(taskId)).toMatchObject({ call: 1 });
  await wasOver(taskId, 31 * 24);
  expect(await prunes()).toEqual({ ended_tasks: 1 });
  expect(await keptOf(taskId)).toEqual(NOTHING);
});

it('lets nothing come back by records read again after everything of them was forgotten', async () => {
  const taskId = uuidv7();
  const start = await world.voices.starts(taskId, { deadline: inMs(10_000) });
  const call = await world.voices.calls(taskId);
  const end = await world.voices.ends(taskId);
  await broker.hear(start, call);
  await world.hears(taskId, 'lease.issued');
  await broker.hear(end);
  const isOver = async () => (await world.query('SELECT FROM task WHERE deadline_at < now()')).length === 1;
  await world.until(isOver, 'the deadline');
  await prunes(nothingIsKept);
  expect(await keptOf(taskId)).toEqual(NOTHING);
  expect(await world.query('SELECT FROM inbox')).toEqual([]);

  await broker.hear(...[call, start, call, end].map((record) => world.voices.again(record)));

  await world.quiet();
  expect(world.events(taskId, 'task.accepted')).toHaveLength(1);
  expect(world.events(taskId, 'lease.intended')).toHaveLength(1);
  expect(world.events(taskId, 'task.refused')).toMatchObject([{ code: 'ERR_DEADLINE_PAST' }]);
  expect(world.events(taskId, 'event.rejected').map(({ code }) => code)).toEqual([
    'ERR_TASK_UNKNOWN',
    'ERR_TASK_UNKNOWN',
  ]);
  expect(world.target.creates).toHaveLength(1);
  // The end stands for a start that may yet come: one more row, until it is as old as a start could be.
  expect(await keptOf(taskId)).toEqual({ ...NOTHING, task: 1, event: 1 });
  expect(await world.query('SELECT status FROM task')).toEqual([{ status: 'unknown' }]);
  await broker.hear(await world.voices.starts(taskId, {}, ORCHESTRATOR));
  expect(world.events(taskId, 'task.ended')).toHaveLength(2);
});

it('proofs and assertions that would be too old anyhow are forgotten, and no others', async () => {
  const minutes = [-60, -6, -4, 10];
  await world.query(
    `INSERT INTO used_proof SELECT 'jkt', m::text, now() + m * interval '1 minute' FROM unnest($1::int[]) AS m`,
    [minutes],
  );
  await world.query(
    `INSERT INTO client_assertion SELECT m::text, 'jkt', now() + m * interval '1 minute' FROM unnest($1::int[]) AS m`,
    [minutes],
  );

  expect(await prunes()).toMatchObject({ used_proofs: 2, client_assertions: 2 });
  const left = await world.query('SELECT jti FROM used_proof ORDER BY expires_at');
  expect(left).toEqual([{ jti: '-4' }, { jti: '10' }]);
});

it('notifications that no broker looks after any more are forgotten after a day', async () => {
  await world.query(
    `INSERT INTO notification (receiver, event_id, notice, told_at)
       SELECT 'gone', h::text, '{}', now() - h * ${HOUR} FROM unnest($1::float8[]) AS h`,
    [[24.2, 24, 1]],
  );

  expect(await prunes()).toEqual({ notifications: 1 });
  expect(await world.query('SELECT event_id FROM notification ORDER BY id')).toEqual([
    { event_id: '24' },
    { event_id: '1' },
  ]);
});
