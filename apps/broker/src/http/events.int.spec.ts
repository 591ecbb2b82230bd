/** Tasks and calls over HTTP, against a real database: the same decisions as on the bus, and the reply waits for the outcome. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { openEnvelope } from '#agent/open-envelope.js';
import type { BrokerProcess, World } from '../../test/harness.js';
import { HttpWorld, type Caller } from '../../test/http-world.js';
import { ANALYST, called, ORCHESTRATOR, PLANNER, sealKey } from '../../test/voices.js';

let http: HttpWorld;
let world: World;
let broker: BrokerProcess;
let caller: Caller;
const open = (process: BrokerProcess, options = {}) => http.caller(process, options);
const startedTask = (change = {}) => http.startedTask(change);
beforeEach(async () => {
  http = await HttpWorld.open();
  ({ world, broker } = http);
  caller = await http.caller();
});
afterEach(() => http.close());

it('a task is declared, a call is answered with its envelope, and the task is ended', async () => {
  const taskId = uuidv7();
  expect(await caller.start(await world.voices.starts(taskId))).toMatchObject({
    status: 201,
    json: { taskId, generation: 1 },
  });

  const call = called(taskId);
  const reply = await caller.call(await world.voices.says(ANALYST, 'tool.called', call));
  expect(reply).toMatchObject({ status: 200, type: 'application/jose' });
  expect(reply.headers.get('cache-control')).toBe('no-store');
  const credential = await openEnvelope(reply.text, sealKey, { ...call, agent: ANALYST });
  const [issued] = await world.hears(taskId, 'lease.issued');
  expect(credential.leaseId).toBe(issued?.leaseId ?? 'none');

  expect(await caller.end(await world.voices.ends(taskId))).toMatchObject({
    status: 200,
    json: { taskId, state: 'ended' },
  });
  await world.quiet();
  expect(world.typesOf(taskId)).toEqual([
    'task.accepted',
    'call.decided',
    'lease.intended',
    'lease.issued',
    'task.ended',
  ]);
});

it('what is answered in a reply is not delivered on the topic', async () => {
  const taskId = await startedTask();
  await caller.call(await world.voices.calls(taskId));
  await caller.call(await world.voices.calls(taskId, { dataset: 'hr.salaries' }));
  await caller.call(await world.voices.calls(uuidv7()));
  await world.quiet();

  expect(world.delivered(taskId)).toEqual([]);
});

it('the reply waits until the bus has the intent: no credential that the revoker has never heard of', async () => {
  const taskId = await startedTask();
  await world.quiet();
  world.bus.hold();
  const reply = caller.call(await world.voices.calls(taskId));
  const first = await Promise.race([reply, sleep(500).then(() => 'waiting')]);
  expect(first).toBe('waiting');
  expect(world.target.creates).toEqual([]);

  world.bus.release();
  expect((await reply).status).toBe(200);
});

it('an outcome that does not come in time is pending, and the same call finds it later', async () => {
  const impatient = await open(broker, { answerWithinMs: 300 });
  const taskId = await startedTask();
  world.target.hang();
  const record = await world.voices.calls(taskId);
  const reply = await impatient.call(record);
  expect(reply).toMatchObject({ status: 504, json: { code: 'ERR_ANSWER_PENDING', taskId } });
  expect(reply.headers.get('retry-after')).toBe('1');

  world.target.answerAll();
  await world.hears(taskId, 'lease.issued');
  expect((await impatient.call(record)).status).toBe(200);
});

it('what another broker settles is seen', async () => {
  const other = await open(await world.start());
  const taskId = await startedTask();
  world.target.hang();
  const call = called(taskId);
  const first = caller.call(await world.voices.says(ANALYST, 'tool.called', call));
  await world.until(() => world.target.creates.length === 1, 'a create');
  const second = other.call(await world.voices.says(ANALYST, 'tool.called', call));
  await sleep(100);
  world.target.answerAll();

  expect((await second).text).toBe((await first).text);
});

it('requests that come together share transactions, and each gets its own answer', async () => {
  const taskId = await startedTask();
  const calls = Array.from({ length: 20 }, () => called(taskId));
  await world.voices.as(ANALYST);
  const replies = await Promise.all(
    calls.map(async (call) => caller.call(await world.voices.says(ANALYST, 'tool.called', call))),
  );
  for (const [index, { text }] of replies.entries()) {
    const header = JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as object;
    expect(header).toMatchObject({ callId: calls[index]?.callId });
  }
  const [stored] = await world.query<{ n: number }>(
    "SELECT count(DISTINCT xmin::text)::int AS n FROM event WHERE type = 'call.decided'",
  );
  expect(stored?.n).toBeLessThan(20);
});

it('over TLS the plain audience will do', async () => {
  const tls = await open(broker, { isPrivate: () => true });
  const taskId = await startedTask();
  const speaker = await world.voices.newly(ANALYST, { audience: 'mayfly' });

  expect((await tls.call(await world.voices.calls(taskId, {}, speaker))).status).toBe(200);
});

it('an end heard before its start is kept, and counts', async () => {
  const taskId = uuidv7();
  expect(await caller.end(await world.voices.ends(taskId))).toMatchObject({
    status: 200,
    json: { state: 'unknown' },
  });
  expect((await caller.start(await world.voices.starts(taskId))).status).toBe(201);
  await world.hears(taskId, 'task.ended');
});

it('one sender may wait for so many answers at once, and others are answered all the same', async () => {
  const taskId = await startedTask({ agents: [{ id: ANALYST }, { id: PLANNER }] });
  world.target.hang();
  await world.voices.as(ANALYST);
  const records = await Promise.all(Array.from({ length: 70 }, () => world.voices.calls(taskId)));
  const codes: unknown[] = [];
  const all = records.map((record) =>
    caller.call(record).then(({ json }) => void codes.push(json['code'] ?? 'answered')),
  );
  await world.until(() => codes.length === 6, 'six refusals');
  expect(codes).toEqual(Array(6).fill('ERR_RATE_LIMITED'));

  const elsewhere = await world.voices.calls(
    taskId,
    { dataset: 'hr.salaries' },
    await world.voices.as(PLANNER),
  );
  expect((await caller.call(elsewhere)).json['code']).toBe('ERR_TOOL_FORBIDDEN');

  world.target.answerAll();
  await Promise.all(all);
  expect(codes.filter((code) => code !== 'ERR_RATE_LIMITED')).toHaveLength(64);
});

it('a broker that does not decide yet says so', async () => {
  const waiting = await world.start();
  const early = await open(waiting);
  await waiting.broker.requests.stop();

  expect(await early.start(await world.voices.starts(uuidv7(), {}, ORCHESTRATOR))).toMatchObject({
    status: 503,
    json: { code: 'ERR_NOT_STARTED' },
  });
});

it('there is nothing at other paths', async () => {
  const taskId = await startedTask();
  const record = await world.voices.calls(taskId);
  expect(await caller.post('/v1/nowhere', record)).toMatchObject({
    status: 404,
    json: { code: 'ERR_NOT_FOUND' },
  });
});
