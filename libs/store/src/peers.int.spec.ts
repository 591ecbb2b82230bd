import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { notePeerRecords, type PeerRecord } from './peers.js';
import { storeMigrations } from './store-migrations.js';

const record = (n: bigint, ceId: string, change: Partial<PeerRecord> = {}): PeerRecord => ({
  topic: 'mayfly.credential.events.v1',
  partition: 3,
  service: 'revoker',
  epoch: 'first',
  n,
  ceId,
  ...change,
});

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('peers', storeMigrations);
});
afterEach(() => schema.drop());

const note = (...heard: PeerRecord[]) => transact(schema.db, (tx) => notePeerRecords(tx, heard));

it('is content with a counter that rises, with records that come twice, and with two senders out of order', async () => {
  const [first, second] = [record(7n, 'a'), record(9_007_199_254_740_993n, 'b')];
  expect(await note(first, second)).toEqual([]);

  expect(await note(second, record(8n, 'c'))).toEqual([]);
  expect(await note(first, second)).toEqual([]);
});

it('finds two lives of one database: another record has a counter that is known', async () => {
  await note(record(7n, 'a'), record(9n, 'b'));
  const ofNewLife = record(9n, 'c');

  expect(await note(record(8n, 'd'), ofNewLife)).toEqual([ofNewLife]);
});

it('finds them on whatever partition the new life writes', async () => {
  await note(record(9n, 'b'));
  const elsewhere = record(9n, 'c', { partition: 4 });

  expect(await note(elsewhere)).toEqual([elsewhere]);
});

it('begins anew with a new epoch: that database was restored, and knows it', async () => {
  await note(record(7n, 'a'));

  expect(await note(record(1n, 'b', { epoch: 'second' }))).toEqual([]);
  expect(await note(record(1n, 'c', { epoch: 'second' }))).toHaveLength(1);
});

it('counts apart for each service', async () => {
  await note(record(7n, 'a'));

  expect(await note(record(7n, 'b', { service: 'broker' }))).toEqual([]);
});
