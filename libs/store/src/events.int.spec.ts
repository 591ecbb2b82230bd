import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { appendEvents, ConcurrencyError, readStored, readStream, type StoredEvent } from './events.js';
import { storeMigrations } from './store-migrations.js';
import type { Upcasts } from './upcast.js';

const event = (version: number, type = 'task.accepted', stream = 'task-1'): StoredEvent => ({
  stream,
  version,
  type,
  schemaVersion: 1,
  data: { version },
  ceId: `ce-${version}`,
});

const upcasts: Upcasts = { 'task.accepted': [], 'call.decided': [], 'task.ended': [] };

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('events', storeMigrations);
});
afterEach(() => schema.drop());

const append = (...events: StoredEvent[]) => transact(schema.db, (tx) => appendEvents(tx, events));
const typesOf = (stream: string) =>
  transact(schema.db, async (tx) => (await readStream(tx, stream, upcasts)).map((each) => each.type));

it('reads a stream in the order of its versions, and no other stream', async () => {
  await append(event(2, 'call.decided'), event(1), event(1, 'task.accepted', 'task-2'));
  await append(event(3, 'task.ended'));

  expect(await typesOf('task-1')).toEqual(['task.accepted', 'call.decided', 'task.ended']);
});

it('refuses a version that is taken, and keeps nothing of the append', async () => {
  await append(event(1));

  const refused = await append(event(2, 'call.decided'), event(1, 'task.ended')).catch(
    (error: unknown) => error,
  );

  expect(refused).toBeInstanceOf(ConcurrencyError);
  expect(refused).toMatchObject({ code: 'ERR_VERSION_TAKEN', cause: { code: '23505' } });
  expect(await typesOf('task-1')).toEqual(['task.accepted']);
});

it('lets one of two writers have a version', async () => {
  const both = await Promise.allSettled([append(event(1, 'task.accepted')), append(event(1, 'task.ended'))]);

  expect(both.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await typesOf('task-1')).toHaveLength(1);
});

it('keeps what led to an event', async () => {
  await append({ ...event(1), causedBy: 'ce-0' });

  const [stored] = await transact(schema.db, (tx) => readStream(tx, 'task-1', upcasts));
  expect(stored).toEqual({ ...event(1), causedBy: 'ce-0' });
});

it('reads an event of an old version in the shape of today, and leaves it as it was written', async () => {
  await append(event(1), { ...event(2, 'task.ended'), schemaVersion: 2 });
  const today: Upcasts = {
    ...upcasts,
    'task.accepted': [(data) => ({ ...data, risk: 'unknown' })],
    'task.ended': [() => ({ wrong: true })],
  };

  const [read, ended] = await transact(schema.db, (tx) => readStream(tx, 'task-1', today));
  expect(read).toEqual({
    ...event(1),
    causedBy: null,
    schemaVersion: 2,
    data: { version: 1, risk: 'unknown' },
  });
  expect(ended?.data).toEqual({ version: 2 });
  const stored = await transact(schema.db, (tx) => readStored(tx, 'task-1'));
  expect(stored.map(({ schemaVersion, data }) => ({ schemaVersion, data }))).toEqual([
    { schemaVersion: 1, data: { version: 1 } },
    { schemaVersion: 2, data: { version: 2 } },
  ]);
});

it('does not read a stream with an event of a later release', async () => {
  await append(event(1), { ...event(2, 'call.decided'), schemaVersion: 2 });

  await expect(transact(schema.db, (tx) => readStream(tx, 'task-1', upcasts))).rejects.toMatchObject({
    code: 'ERR_EVENT_VERSION_UNKNOWN',
    fields: { stream: 'task-1', version: 2, type: 'call.decided', schemaVersion: 2 },
  });
});
