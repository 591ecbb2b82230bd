import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { TASK_EVENTS } from '#events/topics.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { lettersOf } from './letters.js';
import { heldKeys, keyText, park, type Letter } from './parking.js';
import { storeMigrations } from './store-migrations.js';

const GROUP = 'broker';
const TASK = '01a20fb8-c172-74ad-b8be-e0ba85b79c26';
const OTHER = '01a20fb8-c172-74ad-b8be-e0ba85b79c27';

const record = (offset: number, key: Buffer | string | null = TASK): BusRecord => ({
  topic: TASK_EVENTS,
  partition: 3,
  offset: BigInt(offset),
  appendedAtMs: 1_000 + offset,
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(`{"n":${offset}}`),
  headers: { ce_id: Buffer.from('an id') },
});
const bug = (offset: number, more: Partial<Letter> = {}): Letter => ({
  record: record(offset),
  why: 'bug',
  code: 'TypeError',
  detail: 'TypeError',
  holds: true,
  ...more,
});
const behind = (offset: number): Letter => bug(offset, { why: 'behind', code: 'ERR_PARKED_BEHIND' });

let schema: FreshSchema;
beforeEach(async () => (schema = await freshSchema('parking', storeMigrations)));
afterEach(() => schema.drop());

const parked = (letters: readonly Letter[], limits?: Parameters<typeof park>[3]) =>
  transact(schema.db, (tx) => park(tx, GROUP, letters, limits));
const held = (...keys: string[]) => transact(schema.db, (tx) => heldKeys(tx, GROUP, keys));
const letters = () =>
  transact(schema.db, (tx) => lettersOf(tx, GROUP, { id: -1n, keyText: TASK, holds: true }));

it('holds the key of a record whose sender is entitled, for its own group', async () => {
  await parked([bug(5)]);

  expect(await held(TASK, OTHER)).toEqual(new Set([TASK]));
  expect(await transact(schema.db, (tx) => heldKeys(tx, 'revoker', [TASK]))).toEqual(new Set());
});

it("does not hold a key for a stranger's record", async () => {
  await parked([bug(5, { holds: false })]);

  expect(await held(TASK)).toEqual(new Set());
});

it('keeps records as they came: bytes, order, headers given twice, and headers without a value', async () => {
  const hostile = {
    ...record(7),
    value: Buffer.from([0x00, 0xff]),
    headers: {
      'x-\0': [Buffer.from([0, 255]), 'text'],
      'x-none': null as unknown as undefined,
      gone: undefined,
    },
  };

  await parked([bug(5), { ...behind(7), record: hostile }]);

  const [first, second] = await letters();
  expect(first?.record).toEqual(record(5));
  expect(second?.record).toEqual({
    ...hostile,
    headers: { 'x-\0': [Buffer.from([0, 255]), Buffer.from('text')], 'x-none': null },
  });
});

it('knows a record that is delivered again, and leaves it as it is', async () => {
  await parked([bug(5)]);

  const again = await parked([bug(5, { code: 'RangeError' }), behind(6)]);

  expect(again.map(({ letter }) => letter.record.offset)).toEqual([6n]);
  expect((await letters()).map(({ code }) => code)).toEqual(['TypeError', 'ERR_PARKED_BEHIND']);
});

it('keeps so many records of a key, counts those beyond, and goes on holding it', async () => {
  const limits = { perKey: 2, total: 100 };
  await parked([bug(5)], limits);

  const more = await parked([behind(6), behind(7), behind(8)], limits);

  expect(more.map(({ id }) => id !== null)).toEqual([true, false, false]);
  const { rows } = await schema.db.pool.query('SELECT passed_over FROM dead_letter ORDER BY id');
  expect(rows).toEqual([{ passed_over: 2 }, { passed_over: 0 }]);
  expect(await held(TASK)).toEqual(new Set([TASK]));
});

it('never runs out of place for the record that holds a key, but for what only fills the table', async () => {
  const limits = { perKey: 100, total: 1 };
  await parked([bug(5)], limits);

  const holding = { ...bug(6), record: record(6, OTHER) };
  const strangers = { ...bug(7, { holds: false }), record: record(7, uuidv7()) };
  const more = await parked([holding, strangers], limits);

  expect(more.map(({ id }) => id !== null)).toEqual([true, false]);
});

it.each([
  ['null', null, ''],
  ['NUL and bytes that are no UTF-8', Buffer.from([0, 0xff]), '\uFFFD\uFFFD'],
  ['a kilobyte', Buffer.alloc(1_000, 0x61), expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
])('a key of %s has a text of its own', async (_what, key, text) => {
  expect(keyText(key)).toEqual(text);
  await parked([{ ...bug(5), record: { ...record(5), key } }]);
  expect(await held(keyText(key))).toEqual(new Set([keyText(key)]));
});
