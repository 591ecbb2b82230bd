import { CHECKPOINTS } from '#events/topics.js';
import { signCheckpoint } from '#merkle/checkpoint.js';
import { hasher } from '#merkle/node/hasher.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { openDatabase } from '#store/database.js';
import { migrate } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, World } from '../../spec/world.js';
import { signHead } from '../signer/sign-head.js';
import { unsignedMs } from './checkpoints.js';
import { envelopeOf } from './entries.js';
import { publishCheckpoints } from './publish-checkpoints.js';
import { logMigrations, migrateLog } from './schema.js';

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
const publish = async () => (await publishCheckpoints(log.runtime, origin)).queued;
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

  expect([(await publish()).length, (await publish()).length, (await publish()).length]).toEqual([
    100, 30, 0,
  ]);
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

describe('of other keys', () => {
  const next = parseSigner(generateNoteKey(origin).skey);
  const signWith = async (...signers: (typeof signer)[]) => (await signHead(log.signer, signers, 0))?.note;
  const ownEntries = async () => {
    const { rows } = await log.runtime.pool.query<{ leaf: Buffer }>(
      "SELECT leaf FROM entry WHERE type LIKE 'log.key.%' ORDER BY seq",
    );
    return rows.map(({ leaf }) => envelopeOf(leaf));
  };

  it('the log says which came and which went, with the checkpoint that shows it, once', async () => {
    await signWith(signer);
    await publish();
    const both = await signWith(signer, next);
    await Promise.all([publish(), publish()]);
    await signWith(signer, next);
    const one = await signWith(next);
    await publish();

    expect(await ownEntries()).toMatchObject([
      {
        type: 'log.key.added',
        offset: '2',
        event: { vkey: next.vkey, keys: [signer.vkey, next.vkey], checkpoint: both },
      },
      {
        type: 'log.key.retired',
        offset: '4',
        event: { vkey: signer.vkey, keys: [next.vkey], checkpoint: one },
      },
    ]);
  });

  it('the log says nothing at its first checkpoint, nor after those of before there was a signer', async () => {
    const note = await signWith(signer);
    await publish();
    await log.admin.query('ALTER TABLE checkpoint DISABLE TRIGGER ALL');
    await log.admin.query('UPDATE checkpoint SET vkeys = NULL WHERE note = $1', [note]);
    await signWith(signer, next);
    await publish();

    expect(await ownEntries()).toEqual([]);
  });
});

it('goes on with a log of before there was a signer: what was published then is not published again', async () => {
  const url = Object.assign(new URL(process.env.DATABASE_URL ?? ''), { pathname: `/${log.admin.database}` });
  await log.admin.query('CREATE SCHEMA before');
  const db = openDatabase({ url: url.href, schema: 'before', application: 'publish-spec' });
  const ofThen = logMigrations.filter(({ id }) => ['log-1', 'log-2'].includes(id));
  await migrate(db, [...storeMigrations, ...ofThen]);
  const then = signCheckpoint({ origin, size: 0n, root: hasher.emptyRoot }, [signer]);
  await db.pool.query('INSERT INTO checkpoint (size, note) VALUES (0, $1)', [then]);

  await migrateLog(db, log.runtimeRole, log.signerRole);
  const next = await signHead(db, [signer], 0);
  const { queued: found } = await publishCheckpoints(db, origin);
  await db.close();

  expect(found.map(({ value }) => value?.toString())).toEqual([next?.note]);
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
