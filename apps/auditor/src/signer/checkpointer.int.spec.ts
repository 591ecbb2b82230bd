import { setTimeout as sleep } from 'node:timers/promises';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { openDatabase } from '#store/database.js';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, World } from '../../spec/world.js';
import { readCheckpoint } from '../log/checkpoints.js';
import { Checkpointer, type CheckpointerParts } from './checkpointer.js';

const signer = parseSigner(generateNoteKey('audit.example/log').skey);

let log: LogDatabase;
let world: World;
const started: Checkpointer[] = [];
beforeEach(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((checkpointer) => checkpointer.stop()));
  await Promise.all([log.drop(), world.close()]);
});

const grow = () => ingesting(log.runtime, world).onBatch([world.wrote('broker', 'task.accepted', common)]);
/** @returns it, and what it has warned of */
function checkpointing(more: Partial<CheckpointerParts> = {}) {
  const warned: string[] = [];
  const checkpointer = new Checkpointer({
    ...{ db: log.signer, signers: [signer], onSigned: () => {}, everyMs: 10 },
    warn: (_fields, message) => warned.push(message),
    ...more,
  });
  started.push(checkpointer);
  checkpointer.start();
  return { checkpointer, warned };
}
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}
const signedSize = async () => (await readCheckpoint(log.runtime.pool))?.size;

it('signs what was committed at its next look, and is ready once it has looked', async () => {
  const { checkpointer, warned } = checkpointing();
  expect(checkpointer.reasons()).toEqual(['the log cannot be read']);
  await until(async () => (await signedSize()) === 0n);
  await grow();
  await until(async () => (await signedSize()) === 1n);

  expect(checkpointer.reasons()).toEqual([]);
  expect(warned).toEqual([]);
});

it('refuses what contradicts its last checkpoint, says so once, and goes on when it is put right', async () => {
  await grow();
  await grow();
  const { checkpointer, warned } = checkpointing();
  await until(async () => (await signedSize()) === 2n);
  const { rows } = await log.admin.query<{ nodes: Buffer }>('SELECT nodes FROM tree_head');
  await log.admin.query('ALTER TABLE tree_head DISABLE TRIGGER grows');
  await log.admin.query("UPDATE tree_head SET size = 0, nodes = ''");
  await until(() => checkpointer.reasons().length > 0);
  await sleep(50);

  expect(checkpointer.reasons()).toEqual(['the log contradicts its last checkpoint']);
  expect(warned).toEqual(['the head is not signed']);
  expect(await signedSize()).toBe(2n);

  await log.admin.query('UPDATE tree_head SET size = 2, nodes = $1', [rows[0]?.nodes]);
  await grow();
  await until(async () => (await signedSize()) === 3n);
  await until(() => checkpointer.reasons().length === 0);
});

it('says that the last checkpoint is of another key', async () => {
  checkpointing();
  await until(async () => (await signedSize()) === 0n);
  const stranger = parseSigner(generateNoteKey('audit.example/log').skey);
  const { checkpointer } = checkpointing({ signers: [stranger] });
  await until(() => checkpointer.reasons()[0] !== 'the log cannot be read');

  expect(checkpointer.reasons()).toEqual(['the last checkpoint is of another log or key']);
});

it('says that rows are missing', async () => {
  await grow();
  await grow();
  await grow();
  const { checkpointer } = checkpointing();
  await until(async () => (await signedSize()) === 3n);
  await log.admin.query('ALTER TABLE payload DISABLE TRIGGER ALL; ALTER TABLE entry DISABLE TRIGGER ALL');
  await log.admin.query('DELETE FROM payload; DELETE FROM entry WHERE seq = 0');
  await grow();
  await until(() => checkpointer.reasons().length > 0);

  expect(checkpointer.reasons()).toEqual(['the stored log is not whole']);
});

it('waits for a database that is not there, and for tables that nobody has made yet', async () => {
  const url = process.env.DATABASE_URL ?? '';
  const db = openDatabase({ url, schema: 'nobodys', application: 'checkpointer-spec' });
  const { checkpointer, warned } = checkpointing({ db });
  await until(() => warned.length > 1);

  expect(checkpointer.reasons()).toEqual(['the log cannot be read']);
  expect(warned[0]).toBe('the head was not signed');
  await checkpointer.stop();
  await db.close();
});
