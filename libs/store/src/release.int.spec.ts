/** What a release makes of records that were parked: tried again or given up, all of a key or none, and told. */
import type { BusRecord } from '#bus/bus.js';
import { shortType } from '#events/inbound.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { FreshSchema } from '../test/fresh-schema.js';
import { GROUP, ParkedWorld, see, TASK } from '../test/parked-world.js';
import { transact, type Tx } from './database.js';
import { readLetter } from './letter-board.js';
import { readOutbox } from './outbox.js';

const OTHER = '01a20fb8-c172-74ad-b8be-e0ba85b79c27';

let world: ParkedWorld;
let schema: FreshSchema;
beforeEach(async () => {
  world = await ParkedWorld.open();
  ({ schema } = world);
});
afterEach(() => world.close());

const parked = (...[offsets, how]: Parameters<ParkedWorld['parked']>) => world.parked(offsets, how);
const order = (id: bigint | undefined, want: 'retry' | 'drop') => world.order(id, want);
const release = (...[handle, more]: Parameters<ParkedWorld['release']>) => world.release(handle, more);
const seen = () => world.seen();
const states = () => world.states();
const isHeld = () => world.isHeld();
const failingAt =
  (bad: number, error: () => unknown = () => new RangeError('no')) =>
  async (tx: Tx, each: BusRecord) => {
    const seen = await see(tx, each);
    if (seen === bad) throw error();
    return seen;
  };

const told = async () =>
  (await transact(schema.db, (tx) => readOutbox(tx, 0, 0n, 100)))
    .filter(({ topic }) => topic === CREDENTIAL_EVENTS)
    .map(({ key, head, value }) => ({
      key,
      type: shortType(head.type),
      data: JSON.parse(String(value)) as Record<string, unknown>,
    }));

it('does nothing without an order', async () => {
  await parked([5, 6]);

  expect(await release().run()).toBe(0);
  expect(await seen()).toEqual([]);
  expect(await isHeld()).toBe(true);
});

it('handles all records of a key in order once one is to be tried again, frees the key, and says whose word it was', async () => {
  const [first] = await parked([5, 6, 7]);
  await order(first, 'retry');

  const { run, effects } = release();
  await run();

  expect(effects).toEqual([5, 6, 7]);
  expect(await seen()).toEqual([5, 6, 7]);
  expect(await states()).toEqual(['released', 'released', 'released']);
  expect(await isHeld()).toBe(false);
  expect((await told()).map(({ key, type, data }) => [key, type, data.how, data.by, data.reason])).toEqual(
    Array(3).fill([TASK, 'dead_letter.released', 'retried', 'os:maria', 'mended in 0.1.1']),
  );
});

it('erases the bytes of what it released, tokens and all', async () => {
  const [first] = await parked([5]);
  await order(first, 'retry');
  await release().run();

  const { rows } = await schema.db.pool.query('SELECT record_key, headers, value FROM dead_letter');
  expect(rows).toEqual([{ record_key: null, headers: null, value: null }]);
});

it('leaves everything as it was where a record fails again, and names the one that did', async () => {
  const [first, second] = await parked([5, 6, 7]);
  await order(first, 'retry');

  const { run, effects, warned } = release(failingAt(6));
  expect(await run()).toBe(1);

  expect(effects).toEqual([]);
  expect(warned).toHaveLength(1);
  expect(await seen()).toEqual([]);
  expect(await states()).toEqual(['parked', 'parked', 'parked']);
  expect(await isHeld()).toBe(true);
  const letter = await transact(schema.db, (tx) => readLetter(tx, GROUP, second ?? -1n));
  expect(letter).toMatchObject({ why: 'bug', code: 'RangeError', attempts: 2 });
  expect(await told()).toMatchObject([
    {
      key: TASK,
      type: 'dead_letter.parked',
      data: { letterId: String(second), by: 'os:maria', attempts: 2 },
    },
  ]);
});

it('tries a failed order once, not again and again', async () => {
  const [first] = await parked([5]);
  await order(first, 'retry');
  const { run } = release(failingAt(5));

  await run();

  expect(await run()).toBe(0);
});

it('gives a record up, and handles those that waited for it alone', async () => {
  const [first] = await parked([5, 6, 7]);
  await order(first, 'drop');

  await release().run();

  expect(await seen()).toEqual([6, 7]);
  expect(await states()).toEqual(['dropped', 'released', 'released']);
  expect(await isHeld()).toBe(false);
  expect((await told()).map(({ data }) => data.how)).toEqual(['dropped', 'retried', 'retried']);
});

it('gives a record up that waits, and leaves the key held by the one that failed', async () => {
  const [, second] = await parked([5, 6, 7]);
  await order(second, 'drop');

  await release().run();

  expect(await seen()).toEqual([]);
  expect(await states()).toEqual(['parked', 'dropped', 'parked']);
  expect(await isHeld()).toBe(true);
});

it('gives nothing up where one that waited fails, which is then the next to be given up', async () => {
  const [first, second] = await parked([5, 6, 7]);
  await order(first, 'drop');
  await release(failingAt(6)).run();
  expect(await states()).toEqual(['parked', 'parked', 'parked']);

  await order(first, 'drop');
  await order(second, 'drop');
  await release(failingAt(6)).run();

  expect(await seen()).toEqual([7]);
  expect(await states()).toEqual(['dropped', 'dropped', 'released']);
});

it("tries a stranger's record by itself, and neither waits for a task nor takes its records along", async () => {
  const [strangers] = await parked([4], { holds: false });
  await parked([5, 6]);
  await order(strangers, 'retry');
  const free: boolean[] = [];

  await release(see, {
    onReleased: (_tx, { isFree }) => {
      free.push(isFree);
      return Promise.resolve(0);
    },
  }).run();

  expect(free).toEqual([false]);

  expect(await seen()).toEqual([4]);
  expect(await isHeld()).toBe(true);
  expect((await told()).map(({ key }) => key)).toEqual(['unknown']);
});

it('goes on with other keys where one fails', async () => {
  const [first] = await parked([5]);
  const [other] = await parked([9], { key: OTHER });
  await order(first, 'retry');
  await order(other, 'retry');

  expect(await release(failingAt(5)).run()).toBe(2);
  expect(await seen()).toEqual([9]);
});

it('tells who takes part in its transaction what was released, and whether the key is free', async () => {
  const [first] = await parked([5, 6]);
  await order(first, 'retry');
  const told: object[] = [];

  const { run, effects } = release(see, {
    onReleased: (_tx, { key, isFree, letters }) => {
      told.push({ key, isFree, how: letters.map(({ how }) => how) });
      return Promise.resolve(-1);
    },
  });
  await run();

  expect(told).toEqual([{ key: TASK, isFree: true, how: ['retried', 'retried'] }]);
  expect(effects).toEqual([5, 6, -1]);
});

it('takes no order for what is settled, or is not there', async () => {
  const [first] = await parked([5]);
  await order(first, 'drop');
  await release().run();

  expect(await order(first, 'retry')).toBe('dropped');
  expect(await order(999n, 'retry')).toBeNull();
  expect(await states()).toEqual(['dropped']);
});
