import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, ORCHESTRATOR, started, TASK, World } from '../../spec/world.js';
import { readTaskEntries } from './task-entries.js';

let log: LogDatabase;
let world: World;
beforeEach(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
});
afterEach(() => Promise.all([log.drop(), world.close()]));

const ingest = () => ingesting(log.runtime, world);

// Whoever the trust domain knows can write about any task, up to 256 kB at a time: a story must not take the memory of all of it.
it('reads a bounded number of bytes of a task, and says that there is more', async () => {
  const rights = Array.from({ length: 1_500 }, (_, i) => `right_${i}_${'x'.repeat(20)}`);
  const large = Array.from({ length: 200 }, () =>
    world.wrote('broker', 'lease.intended', { ...common, rights }),
  );
  await ingest().onBatch(large);

  const { entries, truncated } = await readTaskEntries(log.runtime.pool, TASK);

  const sizeBytes = entries.reduce((sum, { leaf }) => sum + leaf.length, 0);
  expect(sizeBytes).toBeGreaterThan(4 * 2 ** 20);
  expect(sizeBytes).toBeLessThanOrEqual(8 * 2 ** 20);
  expect(truncated).toBe(true);
});

it('opens the payloads of the first declarations, and of nothing else', async () => {
  const first = await world.said('task.started', started, ORCHESTRATOR);
  await ingest().onBatch([first, world.wrote('broker', 'task.accepted', common)]);
  for (let i = 0; i < 20; i += 1)
    await ingest().onBatch([await world.said('task.started', started, ORCHESTRATOR)]);

  const { entries, declarations, truncated } = await readTaskEntries(log.runtime.pool, TASK);

  expect({ told: entries.length, truncated }).toEqual({ told: 22, truncated: false });
  expect(declarations).toHaveLength(16);
  expect(declarations.slice(0, 2)).toEqual([0n, 2n]);
});

// The key of a record is anybody's claim, and what is refused is told under it.
it('is not crowded out by what was refused of others', async () => {
  const rejected = Array.from({ length: 2_100 }, () => world.wrote('broker', 'event.rejected', common));
  await ingest().onBatch([...rejected, world.wrote('broker', 'task.ended', common)]);

  const { entries, truncated } = await readTaskEntries(log.runtime.pool, TASK);

  expect(entries).toHaveLength(101);
  expect(entries.at(-1)?.seq).toBe(2_100n);
  expect(truncated).toBe(true);
});

it('opens the payloads of what people said, for their reasons', async () => {
  const said = { ...common, orderId: 'o-1', reason: 'stolen', actor: 'user:nadia@corp.example' };
  await ingest().onBatch([
    world.wrote('broker', 'task.accepted', common),
    world.wrote('broker', 'task.revoked', said),
  ]);

  const { words } = await readTaskEntries(log.runtime.pool, TASK);

  expect(words).toEqual([1n]);
});
