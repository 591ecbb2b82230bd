/** Renewals over HTTP: the reply waits for the outcome. */
import { v7 as uuidv7 } from 'uuid';
import type { World } from '../../test/harness.js';
import { HttpWorld, type Caller } from '../../test/http-world.js';
import { ANALYST, inMs } from '../../test/voices.js';

const MINUTE = 60_000;
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

async function leased(): Promise<string> {
  await caller.call(await world.voices.calls(taskId, { ttlMs: MINUTE }));
  return (await world.hears(taskId, 'lease.issued'))[0]?.leaseId ?? '';
}

it('is answered with the new end, and only there', async () => {
  const leaseId = await leased();
  const reply = await caller.renew(await world.voices.renews(taskId, leaseId, 2 * MINUTE), leaseId);

  const [renewed] = await world.hears(taskId, 'lease.renewed');
  expect(reply).toMatchObject({ status: 200, json: { taskId, leaseId, notAfter: renewed?.notAfter } });
  expect(reply.headers.get('cache-control')).toBe('no-store');
  await world.quiet();
  expect(world.delivered(taskId)).toEqual([]);
});

it('sent again, has no second effect and gets the same answer, at whichever broker', async () => {
  const leaseId = await leased();
  const event = uuidv7();
  const request = () =>
    world.voices.says(ANALYST, 'lease.renewal_requested', { taskId, leaseId, ttlMs: 2 * MINUTE }, event);
  const first = await caller.renew(await request(), leaseId);
  const other = await http.caller(await world.start());
  const second = await other.renew(await request(), leaseId);

  expect(second).toMatchObject({ status: 200, json: first.json });
  expect(world.events(taskId, 'lease.renewed')).toHaveLength(1);
});

it('asked while another is under way, both get its answer', async () => {
  const leaseId = await leased();
  world.target.hang();
  const replies = [1, 2].map(async () => caller.renew(await world.voices.renews(taskId, leaseId), leaseId));
  const heard = () =>
    world.query("SELECT 1 FROM inbox WHERE wire_type = 'dev.mayfly.lease.renewal_requested.v1'");
  await world.until(async () => (await heard()).length === 2, 'both to be heard');
  world.target.answerAll();

  const [first, second] = await Promise.all(replies);
  expect(first).toMatchObject({ status: 200 });
  expect(second?.json).toEqual(first?.json);
});

it('waits no longer than it may, and asked again has the outcome', async () => {
  const impatient = await http.caller(http.broker, { answerWithinMs: 50 });
  const leaseId = await leased();
  const event = uuidv7();
  const request = () => world.voices.says(ANALYST, 'lease.renewal_requested', { taskId, leaseId }, event);
  world.target.hang();
  expect(await impatient.renew(await request(), leaseId)).toMatchObject({
    status: 504,
    json: { code: 'ERR_ANSWER_PENDING', leaseId },
  });
  world.target.answerAll();
  await world.hears(taskId, 'lease.renewed');

  expect(await impatient.renew(await request(), leaseId)).toMatchObject({ status: 200 });
});

it.each([
  ['after the end of the task', 403, 'ERR_TASK_ENDED'],
  ['once the lease is cut', 410, 'ERR_LEASE_ENDED'],
])('refused %s, it says so each time', async (what, status, code) => {
  const leaseId = await leased();
  if (what.includes('task')) await caller.end(await world.voices.ends(taskId));
  else await http.broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'operator'));
  const event = uuidv7();
  for (const _ of [1, 2]) {
    const request = await world.voices.says(ANALYST, 'lease.renewal_requested', { taskId, leaseId }, event);
    const reply = await caller.renew(request, leaseId);
    expect(reply).toMatchObject({ status, json: { code, taskId, leaseId, reasons: [expect.any(String)] } });
  }
  expect(await world.hears(taskId, 'lease.renewal_refused')).toHaveLength(1);
});

it('of the last seconds is refused with 409', async () => {
  const leaseId = await leased();
  const request = await world.voices.renews(taskId, leaseId);
  await world.query('UPDATE lease SET not_after = $1', [inMs(4_900)]);
  const reply = await caller.renew(request, leaseId);
  expect(reply).toMatchObject({ status: 409, json: { code: 'ERR_RENEWAL_TOO_LATE' } });
});
