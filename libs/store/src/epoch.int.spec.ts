import { writeHeaders } from '#events/envelope.js';
import type { BusRecord } from '#bus/bus.js';
import { FakeBus } from '../../../test/support/fake-bus.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { assertNotRestored, type Origin } from './epoch.js';
import { enqueue, type UnsignedRecord } from './outbox.js';
import { Relay } from './relay.js';
import { storeMigrations } from './store-migrations.js';
import { raiseEpoch, readStoreLife } from './store-meta.js';

const TOPIC = 'mayfly.credential.events.v1';

const record = (key = 'task-1', source = '//mayfly/broker'): UnsignedRecord => ({
  topic: TOPIC,
  key,
  head: {
    id: '01930000-0000-7000-8000-000000000001',
    source,
    type: 'dev.mayfly.lease.issued.v1',
    subject: key,
    time: '2026-11-24T12:00:00.000Z',
    contentType: 'application/json',
  },
  value: Buffer.from('{}'),
});

let schema: FreshSchema;
let bus: FakeBus;
beforeEach(async () => {
  schema = await freshSchema('epoch', storeMigrations);
  bus = new FakeBus();
});
afterEach(() => schema.drop());

/** A broker lives for a moment: it sends these and stops in order. */
async function sends(...records: UnsignedRecord[]): Promise<void> {
  const relay = new Relay({
    db: schema.db,
    bus,
    sign: ({ head }, store) => ({ ...writeHeaders(head), 'mayfly-store': store }),
    warn: () => undefined,
  });
  await relay.start();
  await relay.send(await transact(schema.db, (tx) => enqueue(tx, records)));
  await relay.stop();
}

/** Puts back all that a copy of the database holds. */
async function copy(): Promise<() => Promise<void>> {
  const {
    rows: [meta],
  } = await schema.db.pool.query<{ epoch: string; earlier: string[]; sent: bigint }>(
    'SELECT epoch, earlier, sent FROM store_meta',
  );
  const {
    rows: [counter],
  } = await schema.db.pool.query<{ last: bigint }>('SELECT last_value AS last FROM outbox_id_seq');
  return async () => {
    await schema.db.pool.query('DELETE FROM outbox');
    await schema.db.pool.query(
      'UPDATE store_meta SET epoch = $1, earlier = $2, sent = $3, recovering = NULL',
      [meta?.epoch, meta?.earlier, meta?.sent],
    );
    await schema.db.pool.query("SELECT setval('outbox_id_seq', $1)", [counter?.last]);
  };
}

const storeOf = ({ headers }: BusRecord): Origin => {
  const [epoch = '', n = ''] = (headers['mayfly-store'] ?? '').toString().split('.');
  return { epoch, n: BigInt(n) };
};

const check = (originOf: (record: BusRecord) => Origin | null = storeOf) =>
  assertNotRestored({ db: schema.db, bus, service: 'broker', originOf });

it('is content with a database that sent what is on the topic', async () => {
  await sends(record(), record('task-2'), record('task-3'));

  await expect(check()).resolves.toBeUndefined();
});

it('is content with a record that was sent and is still in the outbox: its sender was killed in between', async () => {
  await sends(record());
  const epoch = (await readStoreLife(schema.db.pool)).epoch;
  const [waiting] = await transact(schema.db, (tx) => enqueue(tx, [record()]));
  const headers = { ...writeHeaders(record().head), 'mayfly-store': `${epoch}.${waiting?.id}` };
  await bus.publish([{ topic: TOPIC, key: 'task-1', value: Buffer.from('{}'), headers }]);

  await expect(check()).resolves.toBeUndefined();
});

it('refuses a database that does not know the last of its own records', async () => {
  await sends(record());
  const restore = await copy();
  await sends(record('task-2'));
  await restore();

  await expect(check()).rejects.toMatchObject({
    code: 'ERR_STORE_RESTORED',
    fields: { unknownRecords: 1, unknownEpochs: 0 },
  });
});

it('refuses it where its counter runs ahead of what was committed, as after the recovery of a copy', async () => {
  await sends(record());
  const restore = await copy();
  await sends(record('task-2'));
  await restore();
  await schema.db.pool.query("SELECT setval('outbox_id_seq', 33)");

  await expect(check()).rejects.toMatchObject({ code: 'ERR_STORE_RESTORED' });
});

it('refuses it though it has counted on before it looked', async () => {
  await sends(record());
  const restore = await copy();
  await sends(record('task-2'));
  await restore();
  const { head, ...rest } = record('task-3');
  await transact(schema.db, (tx) =>
    enqueue(tx, [{ ...rest, head: { ...head, id: '01930000-0000-7000-8000-000000000002' } }]),
  );

  await expect(check()).rejects.toMatchObject({ fields: { unknownRecords: 1 } });
});

it('refuses an empty database where another one has written', async () => {
  await sends(record());
  await schema.drop();
  schema = await freshSchema('epoch', storeMigrations);

  await expect(check()).rejects.toMatchObject({ fields: { unknownEpochs: 1 } });
});

it('refuses a copy made before the epoch was raised', async () => {
  await sends(record());
  const restore = await copy();
  await transact(schema.db, (tx) => raiseEpoch(tx, []));
  await sends(record());
  await restore();

  await expect(check()).rejects.toMatchObject({ fields: { unknownEpochs: 1 } });
});

it('is content again once the epoch is raised, whatever the lives before it wrote', async () => {
  await sends(record());
  const restore = await copy();
  await sends(record('task-2'));
  await restore();
  await transact(schema.db, (tx) => raiseEpoch(tx, ['of-another-life']));
  await sends(record('task-3'));

  await expect(check()).resolves.toBeUndefined();
  expect((await readStoreLife(schema.db.pool)).earlier).toContain('of-another-life');
});

it('believes no record that it did not sign', async () => {
  await sends(record());
  const headers = { ...writeHeaders(record().head), 'mayfly-store': 'forged.9' };
  await bus.publish([{ topic: TOPIC, key: 'task-1', value: null, headers }]);

  await expect(check(() => null)).resolves.toBeUndefined();
});

it('finds its own record behind a storm of others', async () => {
  await sends(record());
  const restore = await copy();
  await sends(record());
  await restore();
  const others = Array.from({ length: 1_000 }, () => ({
    topic: TOPIC,
    key: 'task-1',
    value: null,
    headers: writeHeaders(record('task-1', '//mayfly/revoker').head),
  }));
  await bus.publish(others);

  await expect(check()).rejects.toMatchObject({ code: 'ERR_STORE_RESTORED' });
});
