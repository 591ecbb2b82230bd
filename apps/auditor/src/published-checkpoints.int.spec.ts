import { setTimeout as sleep } from 'node:timers/promises';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import type { QueuedRecord } from '#store/outbox.js';
import { ingesting } from '../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../spec/log-database.js';
import { common, World } from '../spec/world.js';
import { PublishedCheckpoints } from './published-checkpoints.js';
import { signHead } from './signer/sign-head.js';

const origin = 'audit.example/log';
const signer = parseSigner(generateNoteKey(origin).skey);

let log: LogDatabase;
let world: World;
let published: PublishedCheckpoints;
let sent: QueuedRecord[];
let warned: string[];
beforeEach(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
  [sent, warned] = [[], []];
  published = new PublishedCheckpoints({
    ...{ db: log.runtime, origin, onAppended: () => {}, everyMs: 10 },
    send: (queued) => Promise.resolve(void sent.push(...queued)),
    warn: (_fields, message) => warned.push(message),
  });
  published.start();
});
afterEach(async () => {
  await published.stop();
  await Promise.all([log.drop(), world.close()]);
});
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

it('sends each checkpoint once it is signed', async () => {
  const notes = [];
  for (let i = 0; i < 3; i += 1) notes.push((await signHead(log.signer, [signer], 0))?.note);
  await until(() => sent.length === 3);

  expect(sent.map(({ value }) => value?.toString())).toEqual(notes);
  expect(await published.reasons()).toEqual([]);
});

it('stands still at a checkpoint that is not of this log, and says so once', async () => {
  const other = parseSigner(generateNoteKey('other.example/log').skey);
  await signHead(log.signer, [other], 0);
  await until(async () => (await published.reasons()).length > 0);
  await sleep(50);

  expect(await published.reasons()).toEqual(['a checkpoint is not of this log']);
  expect(warned).toEqual(['a checkpoint is not published']);
  expect(sent).toEqual([]);
});

it('says that nobody signs a log that has grown long ago', async () => {
  await ingesting(log.runtime, world).onBatch([world.wrote('broker', 'task.accepted', common)]);
  expect(await published.reasons()).toEqual([]);
  await log.admin.query('ALTER TABLE entry DISABLE TRIGGER ALL');
  await log.admin.query("UPDATE entry SET ingested_at = now() - interval '31 seconds'");
  expect(await published.reasons()).toEqual(['the log grows and nobody signs it']);

  await signHead(log.signer, [signer], 0);
  expect(await published.reasons()).toEqual([]);
});
