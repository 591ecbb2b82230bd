import { CHECKPOINTS } from '#events/topics.js';
import { signCheckpoint } from '#merkle/checkpoint.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, World } from '../../spec/world.js';
import { signHead } from '../signer/sign-head.js';
import { unsignedMs } from './checkpoints.js';
import { publishCheckpoints } from './publish-checkpoints.js';

const origin = 'audit.example/log';
const signer = parseSigner(generateNoteKey(origin).skey);

let log: LogDatabase;
let world: World;
beforeEach(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
});
afterEach(() => Promise.all([log.drop(), world.close()]));

const grow = () => ingesting(log.runtime, world).onBatch([world.wrote('broker', 'task.accepted', common)]);
async function sign(): Promise<string> {
  const signed = await signHead(log.signer, [signer], 0);
  return signed?.note ?? 'nothing';
}
const publish = () => publishCheckpoints(log.runtime, origin);
const queued = async (): Promise<string[]> => {
  const { rows } = await log.runtime.pool.query<{ value: Buffer }>('SELECT value FROM outbox ORDER BY id');
  return rows.map(({ value }) => value.toString());
};

it('queues every checkpoint once, in the order in which they were signed', async () => {
  expect(await publish()).toEqual([]);
  const first = await sign();
  await grow();
  const [second, repeated] = [await sign(), await sign()];

  expect(await publish()).toMatchObject([
    { topic: CHECKPOINTS, key: origin, head: { source: '//mayfly/auditor', subject: origin } },
    { head: { type: 'dev.mayfly.checkpoint.signed.v1', contentType: 'text/plain; charset=utf-8' } },
    {},
  ]);
  expect(await publish()).toEqual([]);
  expect(await queued()).toEqual([first, second, repeated]);
});

it('queues them once when two auditors do so at once, and goes on behind what was queued', async () => {
  const first = await sign();
  await Promise.all([publish(), publish(), publish()]);
  const second = await sign();
  await Promise.all([publish(), publish()]);

  expect(await queued()).toEqual([first, second]);
});

it('catches up with more than it takes at once', async () => {
  const notes: string[] = [];
  for (let i = 0; i < 130; i += 1) notes.push(await sign());

  expect([(await publish()).length, (await publish()).length, (await publish()).length]).toEqual([100, 30, 0]);
  expect(await queued()).toEqual(notes);
});

describe('from a checkpoint on that is not sound nothing is queued:', () => {
  const other = parseSigner(generateNoteKey('other.example/log').skey);
  const stranger = parseSigner(generateNoteKey(origin).skey);
  const head = { size: 1n, root: new Uint8Array(32) };

  it.each([
    ['one of another log', signCheckpoint({ ...head, origin: other.name }, [other]), [other.vkey]],
    ['one that its keys did not sign', signCheckpoint({ ...head, origin }, [stranger]), [signer.vkey]],
    ['one whose keys were not told', signCheckpoint({ ...head, origin }, [signer]), null],
    ['what is no note', 'note', [signer.vkey]],
  ])('%s', async (_what, note, vkeys) => {
    const first = await sign();
    const insert = 'INSERT INTO checkpoint (size, note, vkeys) VALUES (1, $1, $2)';
    await log.signer.pool.query(insert, [note, vkeys]);

    expect(await publish()).toHaveLength(1);
    await expect(publish()).rejects.toMatchObject({ code: 'ERR_LOG_CHECKPOINT_FOREIGN' });
    expect(await queued()).toEqual([first]);
  });
});

it('knows how long the oldest entry without a checkpoint has waited', async () => {
  expect(await unsignedMs(log.runtime.pool)).toBe(0);
  await grow();
  const before = await unsignedMs(log.runtime.pool);
  await grow();
  expect(await unsignedMs(log.runtime.pool)).toBeGreaterThan(before);
  expect(before).toBeGreaterThan(0);
  await sign();
  expect(await unsignedMs(log.runtime.pool)).toBe(0);
});
