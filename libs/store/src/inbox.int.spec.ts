import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { transact } from './database.js';
import { Inbox, type InboxEntry } from './inbox.js';
import { storeMigrations } from './store-migrations.js';

const entry: InboxEntry = {
  sender: 'spiffe://dev.mayfly/agent/analyst',
  ceId: '01930000-0000-7000-8000-000000000001',
  wireType: 'dev.mayfly.tool.called.v1',
  valueSha256: 'aa'.repeat(32),
};

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('inbox', storeMigrations);
});
afterEach(() => schema.drop());

const accepted = (each: InboxEntry) =>
  transact(schema.db, async (tx) => {
    const inbox = await Inbox.read(tx, [each]);
    inbox.accept(each);
    await inbox.write(tx);
  });
const noveltyOf = (each: InboxEntry) =>
  transact(schema.db, async (tx) => (await Inbox.read(tx, [each])).novelty(each));

it('knows an event that was accepted in an earlier batch', async () => {
  expect(await noveltyOf(entry)).toBe('new');

  await accepted(entry);

  expect(await noveltyOf(entry)).toBe('repeated');
});

it('knows an event that was accepted earlier in the same batch', async () => {
  await transact(schema.db, async (tx) => {
    const inbox = await Inbox.read(tx, [entry, entry]);
    inbox.accept(entry);
    expect(inbox.novelty(entry)).toBe('repeated');
  });
});

it.each([
  ['bytes', { valueSha256: 'bb'.repeat(32) }],
  ['type', { wireType: 'dev.mayfly.task.ended.v1' }],
])('sees an id used again with another %s', async (_what, change) => {
  await accepted(entry);

  expect(await noveltyOf({ ...entry, ...change })).toBe('reused');
});

it('lets two senders use the same id', async () => {
  await accepted(entry);

  expect(await noveltyOf({ ...entry, sender: 'spiffe://dev.mayfly/agent/planner' })).toBe('new');
});

it('remembers nothing of an event that was not accepted', async () => {
  await transact(schema.db, async (tx) => {
    const inbox = await Inbox.read(tx, [entry]);
    expect(inbox.novelty(entry)).toBe('new');
    await inbox.write(tx);
  });

  expect(await noveltyOf(entry)).toBe('new');
});

it('lets one of two transactions accept the same event, and fails the other', async () => {
  const both = await Promise.allSettled([accepted(entry), accepted(entry)]);

  const failed = both.filter((each) => each.status === 'rejected');
  // The second may have begun after the first: then it knew, and wrote all the same.
  expect(failed).toHaveLength(1);
  expect(failed[0]?.reason).toMatchObject({ code: '23505' });
});
