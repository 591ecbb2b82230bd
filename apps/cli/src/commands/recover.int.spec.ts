import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgresBus } from '#bus/postgres/postgres-bus.js';
import { writeHeaders } from '#events/envelope.js';
import { SERVICES } from '#events/services.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS, topicSpecs } from '#events/topics.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { RecordSigner } from '#identity/records.js';
import { openDatabase, transact } from '#store/database.js';
import { advanceOffset, lockOffset } from '#store/offsets.js';
import { readStoreLife } from '#store/store-meta.js';
import { storeMigrations } from '#store/store-migrations.js';
import { freshBusSchema } from '../../../../libs/bus/test/fresh-bus-schema.js';
import { freshSchema, type FreshSchema } from '../../../../libs/store/test/fresh-schema.js';
import { program } from '../program.js';

let schema: FreshSchema;
let bus: Awaited<ReturnType<typeof freshBusSchema>>;
let folder: string;
let signer: RecordSigner;
let said: { stdout: string; stderr: string };
beforeEach(async () => {
  schema = await freshSchema('recover', storeMigrations);
  bus = await freshBusSchema('recover');
  folder = await mkdtemp(join(tmpdir(), 'mayfly-recover-'));
  const keys = await ensureServiceKeys(folder, { MAYFLY_ENV: 'development' });
  signer = await RecordSigner.fromFile(keys.broker.signingKey, 'broker');
  const sample = await readFile('deploy/sample/mayfly.yaml', 'utf8');
  const file = sample
    .replace('schema: broker', `schema: ${schema.db.schema}`)
    .replace(
      '    url: ${MAYFLY_BUS_DATABASE_URL:-}',
      `    url: \${MAYFLY_BUS_DATABASE_URL:-}\n    schema: ${bus.schema}`,
    );
  await writeFile(join(folder, 'mayfly.yaml'), file);
});
afterEach(async () => {
  await schema.drop();
  await bus.drop();
  await rm(folder, { recursive: true });
});

async function recover(...args: string[]): Promise<void> {
  said = { stdout: '', stderr: '' };
  const url = process.env.DATABASE_URL;
  const env = {
    ...{ MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: folder },
    ...{ MAYFLY_BROKER_DATABASE_URL: url, MAYFLY_BUS_DATABASE_URL: url },
  };
  const streams = {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
  };
  const config = ['--config', join(folder, 'mayfly.yaml')];
  await program(env, streams).parseAsync(['recover', '--service', 'broker', ...config, ...args], {
    from: 'user',
  });
}

/** A record of a broker whose database is gone. */
async function forgottenRecord(): Promise<void> {
  const opened = await openPostgresBus({
    url: process.env.DATABASE_URL ?? '',
    schema: bus.schema,
    clientId: 'spec',
  });
  await opened.ensureTopics(topicSpecs(SERVICES));
  const record = {
    topic: CREDENTIAL_EVENTS,
    key: 'task-1',
    head: {
      id: '01930000-0000-7000-8000-000000000001',
      source: '//mayfly/broker',
      type: 'dev.mayfly.lease.issued.v1',
      subject: 'task-1',
      time: '2026-11-24T12:00:00.000Z',
      contentType: 'application/json',
    },
    value: Buffer.from('{}'),
  };
  const headers = signer.sign(record, 'forgotten.7');
  await opened.publish([{ ...record, headers: { ...writeHeaders(record.head), ...headers } }]);
  await opened.close();
}

it('tells what it found, and changes nothing without --confirm', async () => {
  await forgottenRecord();
  const before = await readStoreLife(schema.db.pool);

  await expect(recover()).rejects.toMatchObject({ code: 'ERR_CLI_USAGE' });

  expect(said.stderr).toContain('does not know 0 of its last records, and 1 epochs');
  expect(await readStoreLife(schema.db.pool)).toEqual(before);
});

it('raises the epoch, takes the forgotten ones for known, and leaves the rest to the service', async () => {
  await forgottenRecord();
  const before = await readStoreLife(schema.db.pool);

  await recover('--confirm', '--json');

  const after = await readStoreLife(schema.db.pool);
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.earlier).toEqual([before.epoch, 'forgotten'].toSorted());
  expect(after.recovering).toEqual({ store: true, topics: [], sweeps: [] });
  expect(JSON.parse(said.stdout)).toMatchObject({ service: 'broker', epoch: after.epoch, unknownEpochs: 1 });
});

it('keeps the epoch where only a topic was made anew', async () => {
  const before = await readStoreLife(schema.db.pool);
  await transact(schema.db, async (tx) => {
    await lockOffset(tx, 'broker', TASK_EVENTS, 0);
    await advanceOffset(tx, 'broker', TASK_EVENTS, 0, 9n);
  });

  await recover('--topic', TASK_EVENTS, '--confirm');

  expect(await readStoreLife(schema.db.pool)).toEqual({
    ...before,
    recovering: { store: false, topics: [TASK_EVENTS], sweeps: [] },
  });
});

it('refuses while the service is connected to its database', async () => {
  const running = openDatabase({
    url: process.env.DATABASE_URL ?? '',
    schema: schema.db.schema,
    application: 'mayfly-broker',
  });
  await running.pool.query('SELECT 1');

  await expect(recover('--confirm')).rejects.toMatchObject({ code: 'ERR_CLI_STILL_RUNNING' });

  await running.close();
});
