/** An order is carried out once, whoever fails or comes in between: the database, another process, a reader of the same key. */
import type { FreshSchema } from '../test/fresh-schema.js';
import { GROUP, ParkedWorld, record, see, TASK } from '../test/parked-world.js';
import { transact } from './database.js';
import { heldKeys, park } from './parking.js';

let world: ParkedWorld;
let schema: FreshSchema;
beforeEach(async () => {
  world = await ParkedWorld.open();
  ({ schema } = world);
});
afterEach(() => world.close());

const parked = (offsets: number[]) => world.parked(offsets);
const order = (id: bigint | undefined, want: 'retry' | 'drop') => world.order(id, want);
const release = (...[handle, more]: Parameters<ParkedWorld['release']>) => world.release(handle, more);
const seen = () => world.seen();
const states = () => world.states();
const isHeld = () => world.isHeld();

it('leaves the order where the database fails in the middle, and carries it out once when it is back', async () => {
  const [first] = await parked([5, 6]);
  await order(first, 'retry');
  const dying = release(async (tx, each) => {
    const seen = await see(tx, each);
    if (seen === 6) await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
    return seen;
  });

  await expect(dying.run()).rejects.toThrow();
  expect(await seen()).toEqual([]);
  expect(await states()).toEqual(['retry', 'parked']);

  await release().run();
  expect(await seen()).toEqual([5, 6]);
});

it('carries an order out once where two processes take orders at the same time', async () => {
  const [first] = await parked([5, 6]);
  await order(first, 'retry');
  const processes = [release(), release(see, { db: schema.open() })];

  const taken = await Promise.all(processes.map(({ run }) => run()));

  expect(taken.reduce((sum, n) => sum + n, 0)).toBe(1);
  expect(await seen()).toEqual([5, 6]);
});

describe('a reader that finds the key held while it is being freed', () => {
  it('waits, and then finds it free', async () => {
    const [first] = await parked([5]);
    await order(first, 'retry');
    const reader = schema.open();
    let found: Promise<ReadonlySet<string>> | undefined;
    const { run } = release(async (tx, each) => {
      const seen = await see(tx, each);
      found = transact(reader, (other) => heldKeys(other, GROUP, [TASK]));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return seen;
    });

    await run();

    expect(await found).toEqual(new Set());
  });

  it('parks behind it first where it came first, and its record is released with the others', async () => {
    const [first] = await parked([5]);
    await order(first, 'retry');
    let releasing: Promise<number> | undefined;
    const { run } = release();

    await transact(schema.open(), async (tx) => {
      await heldKeys(tx, GROUP, [TASK]);
      releasing = run();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await park(tx, GROUP, [
        { record: record(6), why: 'behind', code: 'ERR_PARKED_BEHIND', detail: '', holds: true },
      ]);
    });
    await releasing;

    expect(await seen()).toEqual([5, 6]);
    expect(await isHeld()).toBe(false);
  });
});
