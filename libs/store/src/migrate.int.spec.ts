import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { migrate, MigrationError, type Migration } from './migrate.js';
import { storeMigrations } from './store-migrations.js';

const fruit: Migration = { id: 'fruit-1', sql: 'CREATE TABLE fruit (name text PRIMARY KEY)' };
const apple: Migration = { id: 'fruit-2', sql: "INSERT INTO fruit VALUES ('apple')" };
const broken: Migration = { id: 'fruit-3', sql: 'SELECT no_such_column' };

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('migrate');
});
afterEach(() => schema.drop());

const fruits = async () =>
  (await schema.db.pool.query<{ name: string }>('SELECT name FROM fruit')).rows.map((row) => row.name);
const applied = async () =>
  (await schema.db.pool.query<{ id: string }>('SELECT id FROM migration ORDER BY id')).rows.map(
    (row) => row.id,
  );

it('applies every migration once when several processes start at once', async () => {
  const processes = [schema.db, schema.open(), schema.open(), schema.open()];

  await Promise.all(processes.map((db) => migrate(db, [fruit, apple])));

  expect(await fruits()).toEqual(['apple']);
  expect(await applied()).toEqual(['fruit-1', 'fruit-2']);
});

it('applies only what is new at the next start', async () => {
  await migrate(schema.db, [fruit]);

  await migrate(schema.db, [fruit, apple]);
  await migrate(schema.db, [fruit, apple]);

  expect(await fruits()).toEqual(['apple']);
});

it('refuses a migration that was applied with another text, and names it', async () => {
  await migrate(schema.db, [fruit]);
  const changed = { ...fruit, sql: `${fruit.sql};` };

  const refused = await migrate(schema.db, [changed, apple]).catch((error: unknown) => error);

  expect(refused).toBeInstanceOf(MigrationError);
  expect(refused).toMatchObject({ code: 'ERR_MIGRATION_CHANGED', migration: 'fruit-1' });
  expect(await fruits()).toEqual([]);
});

it('applies all that is pending or nothing', async () => {
  await expect(migrate(schema.db, [fruit, apple, broken])).rejects.toMatchObject({ code: '42703' });

  await expect(fruits()).rejects.toMatchObject({ code: '42P01' });
});

it('gives the store an epoch of its own, which a restart keeps', async () => {
  const epochs = async () =>
    (await schema.db.pool.query<{ epoch: string }>('SELECT epoch FROM store_meta')).rows.map(
      (row) => row.epoch,
    );
  await migrate(schema.db, storeMigrations);
  const [epoch] = await epochs();

  await migrate(schema.db, storeMigrations);

  expect(epoch).toMatch(/^[0-9a-f]{32}$/);
  expect(await epochs()).toEqual([epoch]);
});
