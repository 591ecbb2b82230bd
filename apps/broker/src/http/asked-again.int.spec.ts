/** A request that is sent again, here, at another broker or on the bus, has the effect and the answer of the first. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import type { BrokerProcess, World } from '../../test/harness.js';
import { HttpWorld, type Caller } from '../../test/http-world.js';
import { ANALYST, called } from '../../test/voices.js';

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

describe('asked again', () => {
  it('the same request gets the same envelope', async () => {
    const taskId = await startedTask();
    const record = await world.voices.calls(taskId);
    const first = await caller.call(record);
    const second = await caller.call(record);

    expect(second).toMatchObject({ status: 200, text: first.text });
    expect(world.target.creates).toHaveLength(1);
  });

  it('the same call under another event id gets the same envelope, also of another broker', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    const first = await caller.call(await world.voices.says(ANALYST, 'tool.called', call));
    const other = await open(await world.start());
    const second = await other.call(await world.voices.says(ANALYST, 'tool.called', call));

    expect(second.text).toBe(first.text);
  });

  it('on the bus, it is delivered there', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    const { text } = await caller.call(await world.voices.says(ANALYST, 'tool.called', call));
    await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));

    const [delivered] = await world.delivers(taskId, CREDENTIAL_DELIVERED);
    expect(delivered?.jwe).toBe(text);
  });

  it('on the bus while the reply waits, both are answered', async () => {
    const taskId = await startedTask();
    const call = called(taskId);
    world.target.hang();
    const reply = caller.call(await world.voices.says(ANALYST, 'tool.called', call));
    await world.until(() => world.target.creates.length === 1, 'a create');
    await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
    world.target.answerAll();

    const [delivered] = await world.delivers(taskId, CREDENTIAL_DELIVERED);
    expect((await reply).text).toBe(delivered?.jwe);
  });

  it('a start gets the same answer, accepted or refused', async () => {
    const good = await world.voices.starts(uuidv7());
    const bad = await world.voices.starts(uuidv7(), { deadline: '2020-01-01T00:00:00.000Z' });
    for (const [record, status] of [
      [good, 201],
      [bad, 422],
    ] as const) {
      const first = await caller.start(record);
      const second = await caller.start(record);
      expect(first.status).toBe(status);
      expect(second).toMatchObject({ status, json: first.json });
    }
  });

  it('a call whose lease has ended gets no envelope any more', async () => {
    const taskId = await startedTask();
    const record = await world.voices.calls(taskId);
    await caller.call(record);
    const [issued] = await world.hears(taskId, 'lease.issued');
    await broker.hearRevoker(world.voices.revokes(taskId, issued?.leaseId ?? '', 'operator'));

    expect(await caller.call(record)).toMatchObject({ status: 410, json: { code: 'ERR_LEASE_ENDED' } });
  });

  it('after the broker died between intent and outcome: another one has taken it up', async () => {
    const taskId = await startedTask();
    world.target.hang();
    const record = await world.voices.calls(taskId);
    const lost = caller.call(record).catch(() => undefined);
    await world.until(() => world.target.creates.length === 1, 'a create');
    await broker.die();

    const next = await world.start();
    const other = await open(next);
    const reply = other.call(record);
    await sleep(50);
    world.target.answerAll();
    await next.recover();
    expect((await reply).status).toBe(200);
    await lost;
  });
});
