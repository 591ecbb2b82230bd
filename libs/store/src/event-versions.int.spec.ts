import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { claimEventVersions } from './event-versions.js';
import { appendEvents } from './events.js';
import { storeMigrations } from './store-migrations.js';
import type { Upcasts } from './upcast.js';

const before: Upcasts = { 'task.accepted': [], 'task.ended': [] };
const after: Upcasts = { ...before, 'task.accepted': [(data) => data], 'task.suspended': [] };

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('versions', storeMigrations);
});
afterEach(() => schema.drop());

const writes = (type: string, schemaVersion: number) =>
  transact(schema.db, (tx) =>
    appendEvents(tx, [{ stream: 'task-1', version: 1, type, schemaVersion, data: {}, ceId: 'ce-1' }]),
  );

it('lets a release start again, and the next one', async () => {
  await claimEventVersions(schema.db, before);
  await writes('task.accepted', 1);
  await claimEventVersions(schema.db, before);
  await claimEventVersions(schema.db, after);
  await claimEventVersions(schema.db, after);

  const { rows } = await schema.db.pool.query('SELECT type, version FROM event_version ORDER BY type');
  expect(rows).toEqual([
    { type: 'task.accepted', version: 2 },
    { type: 'task.ended', version: 1 },
    { type: 'task.suspended', version: 1 },
  ]);
});

it('lets the earlier release back in while the later one has written nothing that it could not read', async () => {
  await claimEventVersions(schema.db, after);
  await writes('task.accepted', 1);

  await claimEventVersions(schema.db, before);
});

it.each([
  ['task.accepted', 2, 'ERR_EVENT_VERSION_UNKNOWN', 'a stored event is of a later version than is known'],
  ['task.suspended', 1, 'ERR_EVENT_TYPE_UNKNOWN', 'a stored event is of an unknown type'],
])(
  'refuses the earlier release once %s is there in version %p',
  async (type, schemaVersion, code, message) => {
    await claimEventVersions(schema.db, after);
    await writes(type, schemaVersion);

    await expect(claimEventVersions(schema.db, before)).rejects.toMatchObject({
      code,
      message,
      fields: { stream: 'task-1', version: 1, type, schemaVersion },
    });
    await claimEventVersions(schema.db, after);
  },
);
