import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { appendEvents, ConcurrencyError, readStream, type StoredEvent } from './events.js';
import { storeMigrations } from './store-migrations.js';

const event = (version: number, type = 'task.accepted', stream = 'task-1'): StoredEvent => ({
  stream,
  version,
  type,
  data: { version },
  ceId: `ce-${version}`,
});

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('events', storeMigrations);
});
afterEach(() => schema.drop());

const append = (...events: StoredEvent[]) => transact(schema.db, (tx) => appendEvents(tx, events));
const typesOf = (stream: string) =>
  transact(schema.db, async (tx) => (await readStream(tx, stream)).map((each) => each.type));

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

  const [stored] = await transact(schema.db, (tx) => readStream(tx, 'task-1'));
  expect(stored).toEqual({ ...event(1), causedBy: 'ce-0' });
});
