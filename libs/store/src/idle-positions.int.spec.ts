import type { BusRecord } from '#bus/bus.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { consumeBatch } from './consume.js';
import { IdlePositions } from './idle-positions.js';
import { positionsBehind, readPositions } from './offsets.js';
import { storeMigrations } from './store-migrations.js';

const TOPIC = 'mayfly.credential.events.v1';
const record = (offset: bigint, partition = 0): BusRecord => ({
  topic: TOPIC,
  partition,
  offset,
  appendedAtMs: 0,
  key: null,
  value: null,
  headers: {},
});

let schema: FreshSchema;
beforeEach(async () => (schema = await freshSchema('idle', storeMigrations)));
afterEach(() => schema.drop());

const idle = (warnings: string[] = []) =>
  new IdlePositions(schema.db, 'broker', (_fields, message) => warnings.push(message));
const stored = async () => {
  const places = [0, 1].map((partition) => ({ topic: TOPIC, partition }));
  const positions = await readPositions(schema.db, 'broker', places);
  return Object.fromEntries(positions.map(({ partition, next }) => [partition, next]));
};

it('stores the last position of each partition that was passed', async () => {
  const positions = idle();
  positions.pass(positionsBehind([record(3n), record(4n)]));
  positions.pass(positionsBehind([record(5n)]));
  positions.pass(positionsBehind([record(8n, 1)]));

  await positions.store();

  expect(await stored()).toEqual({ 0: 6n, 1: 9n });
});

it('stores without being asked, within a second or so', async () => {
  idle().pass(positionsBehind([record(3n)]));

  for (const endMs = Date.now() + 30_000; (await stored())[0] !== 4n;)
    if (Date.now() > endMs) throw new Error('waited in vain');
});

it('never moves a position back behind what was handled meanwhile', async () => {
  const positions = idle();
  positions.pass(positionsBehind([record(3n)]));
  await consumeBatch(schema.db, 'broker', [record(7n)], () => Promise.resolve());

  await positions.store();

  expect(await stored()).toEqual({ 0: 8n });
});

it('tells a failure, keeps what it has, and stores it later', async () => {
  const warnings: string[] = [];
  const positions = idle(warnings);
  positions.pass(positionsBehind([record(3n)]));
  await schema.db.pool.query('ALTER TABLE bus_offset RENAME TO away');
  await positions.store();
  await schema.db.pool.query('ALTER TABLE away RENAME TO bus_offset');

  await positions.store();

  // More than once, where it tried again by itself before the table was back.
  expect(new Set(warnings)).toEqual(new Set(['positions behind passed records were not stored']));
  expect(await stored()).toEqual({ 0: 4n });
});
