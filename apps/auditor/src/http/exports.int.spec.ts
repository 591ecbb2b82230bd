/** What the auditor hands out can be verified without it. What a superuser does to its rows: log/tamper.int.spec.ts. */
import { TwiceSignedLog } from '../../spec/twice-signed-log.js';
import { ORCHESTRATOR, World } from '../../spec/world.js';

const ENTRIES = 600;
const EARLIER = 300;

let world: World;
let log: TwiceSignedLog;
beforeAll(async () => {
  world = await World.open();
  log = await TwiceSignedLog.open(world, EARLIER, ENTRIES);
});
afterAll(async () => {
  await log.close();
  await world.close();
});

it('answers in JSON lines', async () => {
  const { status, headers } = await log.ask('{}');
  expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
});

it('hands out the whole log, or any range of it, and each verifies', async () => {
  for (const asked of [
    {},
    { from: 0, to: 1 },
    { from: 255, to: 513 },
    { from: 299 },
    { from: 599, to: 600 },
  ]) {
    const { verdict, included, from, to } = await log.verify(asked);
    expect([asked, verdict, included]).toEqual([asked, 'good', to - from]);
  }
});

it('proves that the log extends an earlier head, where it is asked to', async () => {
  expect(await log.verify({ from: 400, to: 500, since: EARLIER }, log.headThen)).toMatchObject({
    verdict: 'good',
    extendsSize: BigInt(EARLIER),
  });
});

it.each([
  ['no JSON', '{', 400, 'ERR_BODY_INVALID'],
  ['another member', '{"filter":"x"}', 400, 'ERR_BODY_INVALID'],
  ['a text', '{"from":"1"}', 400, 'ERR_BODY_INVALID'],
  ['a number below all', '{"from":-1}', 400, 'ERR_BODY_INVALID'],
  ['too much', ' '.repeat(5_000), 413, 'ERR_BODY_TOO_LARGE'],
  ['an empty range', '{"from":5,"to":5}', 400, 'ERR_PARAMETER_INVALID'],
  ['a range backwards', '{"from":6,"to":5}', 400, 'ERR_PARAMETER_INVALID'],
  ['more than was signed', '{"to":601}', 503, 'ERR_ENTRY_NOT_COVERED'],
  ['an earlier head that is later', '{"since":601}', 503, 'ERR_ENTRY_NOT_COVERED'],
])('refuses %s', async (_what, body, status, code) => {
  const response = await log.ask(body);
  expect([response.status, await response.json()]).toEqual([
    status,
    expect.objectContaining({ code }) as object,
  ]);
});

it('hands out nothing to whoever is no auditor', async () => {
  expect((await log.ask('{}', null)).status).toBe(401);
  expect((await log.ask('{}', ORCHESTRATOR)).status).toBe(403);
});
