import type { EventEmitter } from 'node:events';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { Last, transact, type Tx } from './database.js';

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('answer', [{ id: 'said', sql: 'CREATE TABLE said (word text PRIMARY KEY)' }]);
});
afterEach(() => schema.drop());

const say = (tx: Tx, word: string) => tx.query('INSERT INTO said VALUES ($1) RETURNING word', [word]);
const said = async () =>
  (await schema.db.pool.query<{ word: string }>('SELECT word FROM said ORDER BY word')).rows.map(
    ({ word }) => word,
  );
const codeOf = (reason: unknown) => (reason as { code?: string }).code;

/** How often the server says that it is ready: one message on the wire is `Z 00000005 status`. */
function readies(tx: Tx): () => number {
  let count = 0;
  const { stream } = (tx as unknown as { connection: { stream: EventEmitter } }).connection;
  stream.on('data', (bytes: Buffer) => {
    for (let at = bytes.indexOf(READY); at >= 0; at = bytes.indexOf(READY, at + 1)) count += 1;
  });
  return () => count;
}
const READY = Buffer.from('5a00000005', 'hex');

it('answers the statements that a transaction sends in one turn with one message, each to whom it belongs', async () => {
  const words = ['one', 'two', 'three', 'four'];
  let ready = () => 0;

  const answers = await transact(schema.db, (tx) => {
    ready = readies(tx);
    return Promise.all(words.map((word) => say(tx, word)));
  });

  expect(answers.map(({ rows }) => rows as unknown[])).toEqual(words.map((word) => [{ word }]));
  // BEGIN goes with them; the commit is sent when they are answered.
  expect(ready()).toBe(2);
  expect(await said()).toEqual(words.toSorted());
});

it('lets each statement see what the one before it did', async () => {
  const [, seen] = await transact(schema.db, (tx) =>
    Promise.all([say(tx, 'one'), tx.query('SELECT word FROM said WHERE word = $1', ['one'])]),
  );

  expect(seen.rows).toEqual([{ word: 'one' }]);
});

it('throws what failed first, tells those behind it that they were skipped, and keeps nothing', async () => {
  let outcomes: PromiseSettledResult<unknown>[] = [];

  const transaction = transact(schema.db, async (tx) => {
    const sent = [say(tx, 'one'), say(tx, 'one'), say(tx, 'two'), say(tx, 'three')];
    outcomes = await Promise.allSettled(sent);
    await Promise.all(sent);
  });

  await expect(transaction).rejects.toMatchObject({ code: '23505' });
  expect(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'done' : codeOf(outcome.reason))),
  ).toEqual(['done', '23505', '25P02', '25P02']);
  expect(await said()).toEqual([]);
});

it('throws what failed, and not what was skipped for it, however long the way of the one and how short that of the other', async () => {
  const late = async (answer: Promise<unknown>) => {
    for (let step = 0; step < 20; step += 1) await Promise.resolve();
    return await answer.catch(async (error: unknown) => {
      for (let step = 0; step < 20; step += 1) await Promise.resolve();
      throw error;
    });
  };
  await transact(schema.db, (tx) => say(tx, 'one'));

  const beside = transact(schema.db, (tx) =>
    Promise.all([say(tx, 'two'), late(say(tx, 'one')), say(tx, 'three')]),
  );
  await expect(beside).rejects.toMatchObject({ code: '23505' });
  const withTheCommit = transact(schema.db, (tx) => Promise.resolve(new Last(late(say(tx, 'one')))));
  await expect(withTheCommit).rejects.toMatchObject({ code: '23505' });
});

it('goes on with the connection after a statement failed', async () => {
  const { pool } = schema.db;
  const client = await pool.connect();
  try {
    const pid = async () =>
      (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
    const before = await pid();
    const sent = ['BEGIN', 'x', 'x', 'y'].map((word) =>
      word === 'BEGIN' ? client.query(BEGIN) : say(client, word),
    );
    await Promise.allSettled(sent);
    await client.query('ROLLBACK');

    expect(await pid()).toBe(before);
    expect((await say(client, 'x')).rows).toEqual([{ word: 'x' }]);
  } finally {
    client.release();
  }
});
const BEGIN = { name: 'begin', text: 'BEGIN' };

it('answers the others where the values of one cannot be sent', async () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;

  const outcomes = await transact(schema.db, (tx) =>
    Promise.allSettled([
      say(tx, 'one'),
      tx.query('INSERT INTO said VALUES ($1)', [circular]),
      say(tx, 'two'),
    ]),
  );

  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await said()).toEqual(['one', 'two']);
});

it('keeps what is undone to a savepoint apart from what stays', async () => {
  await transact(schema.db, async (tx) => {
    const [first] = await Promise.all([say(tx, 'one'), tx.query('SAVEPOINT here')]);
    expect(first.rowCount).toBe(1);
    await expect(say(tx, 'one')).rejects.toMatchObject({ code: '23505' });
    await Promise.all([tx.query('ROLLBACK TO SAVEPOINT here'), say(tx, 'two')]);
  });

  expect(await said()).toEqual(['one', 'two']);
});

it('leaves statements outside a transaction to themselves: one that fails undoes no other', async () => {
  const client = await schema.db.pool.connect();
  try {
    const outcomes = await Promise.allSettled([say(client, 'one'), say(client, 'one'), say(client, 'two')]);

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  } finally {
    client.release();
  }
  expect(await said()).toEqual(['one', 'two']);
});

it('answers statements of the simple protocol, several in one text among them, by themselves', async () => {
  const answers = await transact(schema.db, (tx) =>
    Promise.all([
      say(tx, 'one'),
      tx.query("INSERT INTO said VALUES ('two'); INSERT INTO said VALUES ('three')"),
      tx.query(''),
      say(tx, 'four'),
    ]),
  );

  expect(answers).toHaveLength(4);
  expect(await said()).toEqual(['four', 'one', 'three', 'two']);
});

it('rejects all that were sent where the server goes away between them', async () => {
  const outcomes: PromiseSettledResult<unknown>[] = [];

  const transaction = transact(schema.db, async (tx) => {
    outcomes.push(
      ...(await Promise.allSettled([
        say(tx, 'one'),
        tx.query('SELECT pg_terminate_backend(pg_backend_pid(), $1)', [1_000]),
        say(tx, 'two'),
        say(tx, 'three'),
      ])),
    );
    await say(tx, 'four');
  });

  await expect(transaction).rejects.toThrow();
  expect(outcomes.map(({ status }) => status).slice(1)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await said()).toEqual([]);
});
