import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { notePeerCount, type PeerCount } from './peers.js';
import { storeMigrations } from './store-migrations.js';

const count = (n: bigint, change: Partial<PeerCount> = {}): PeerCount => ({
  topic: 'mayfly.credential.events.v1',
  partition: 3,
  service: 'revoker',
  epoch: 'first',
  n,
  ...change,
});

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('peers', storeMigrations);
});
afterEach(() => schema.drop());

const note = (each: PeerCount) => transact(schema.db, (tx) => notePeerCount(tx, each));

it('is content with a counter that rises', async () => {
  expect(await note(count(7n))).toBeNull();
  expect(await note(count(9_007_199_254_740_993n))).toBeNull();
});

it('tells a counter that went back or stood still, and keeps the highest', async () => {
  await note(count(7n));

  expect(await note(count(5n))).toBe(7n);
  expect(await note(count(7n))).toBe(7n);
});

it('begins anew with a new epoch: that database was restored, and says so', async () => {
  await note(count(7n));

  expect(await note(count(1n, { epoch: 'second' }))).toBeNull();
  expect(await note(count(1n, { epoch: 'second' }))).toBe(1n);
});

it.each([
  ['partition', { partition: 4 }],
  ['topic', { topic: 'mayfly.revocations.v1' }],
  ['service', { service: 'broker' }],
])('counts apart for each %s', async (_what, change) => {
  await note(count(7n));

  expect(await note(count(1n, change))).toBeNull();
});
