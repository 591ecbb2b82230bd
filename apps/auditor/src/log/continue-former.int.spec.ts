import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signCheckpoint } from '#merkle/checkpoint.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, World } from '../../spec/world.js';
import { continueFormer, readFormer } from './continue-former.js';
import { envelopeOf, readEntry } from './entries.js';

const FORMER = 'old.example/log';
const key = parseSigner(generateNoteKey(FORMER).skey);
const head = { origin: FORMER, size: 7n, root: new Uint8Array(32).fill(7) };
const GOOD = signCheckpoint(head, [key]);

let folder: string;
let log: LogDatabase;
let world: World;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'former-'));
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
});
afterEach(() => Promise.all([log.drop(), world.close(), rm(folder, { recursive: true })]));

async function formerIn(text: string, origin = 'new.example/log') {
  await writeFile(join(folder, 'checkpoint'), text);
  return await readFormer(join(folder, 'checkpoint'), origin);
}
const grow = () => ingesting(log.runtime, world).onBatch([world.wrote('broker', 'task.accepted', common)]);
const first = async () => envelopeOf((await readEntry(log.runtime.pool, 0n))!.leaf);

it('is the first entry of a log, once, with what the former log was', async () => {
  const former = await formerIn(GOOD);
  await continueFormer(log.runtime, former);
  await grow();
  await continueFormer(log.runtime, former);

  expect(await first()).toMatchObject({
    v: 1,
    type: 'log.continued',
    actor: '//mayfly/auditor',
    event: {
      origin: FORMER,
      size: '7',
      root: Buffer.from(head.root).toString('base64'),
      checkpoint: GOOD,
    },
  });
  const { rows } = await log.runtime.pool.query('SELECT seq, type FROM entry ORDER BY seq');
  expect(rows).toMatchObject([
    { seq: 0n, type: 'log.continued' },
    { seq: 1n, type: 'task.accepted' },
  ]);
});

it('is refused of a log that has begun otherwise, or after another one', async () => {
  await grow();
  await expect(continueFormer(log.runtime, await formerIn(GOOD))).rejects.toMatchObject({
    code: 'ERR_AUDITOR_SET_UP',
  });
});

it('is refused of a log that has begun with another checkpoint', async () => {
  await continueFormer(log.runtime, await formerIn(GOOD));
  const later = await formerIn(signCheckpoint({ ...head, size: 8n }, [key]));
  await expect(continueFormer(log.runtime, later)).rejects.toMatchObject({ code: 'ERR_AUDITOR_SET_UP' });
});

it.each([
  ['no checkpoint', 'hello', 'the file of log.continues is no checkpoint'],
  ['a file that is too large', GOOD.repeat(200), 'the file of log.continues is too large for a checkpoint'],
])('is not read out of %s', async (_what, text, message) => {
  await expect(formerIn(text)).rejects.toMatchObject({ code: 'ERR_AUDITOR_SET_UP', message });
});

it('is not itself, and has to be there', async () => {
  await expect(formerIn(GOOD, FORMER)).rejects.toMatchObject({ code: 'ERR_AUDITOR_SET_UP' });
  await expect(readFormer(join(folder, 'none'), 'x')).rejects.toMatchObject({ code: 'ERR_AUDITOR_SET_UP' });
});
