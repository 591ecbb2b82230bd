import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { ingesting } from '../../spec/ingesting.js';
import { common, World } from '../../spec/world.js';
import { migrateLog } from './schema.js';

let log: LogDatabase;
let world: World;
beforeAll(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
  await ingesting(log.runtime, world).onBatch([world.wrote('broker', 'task.accepted', common)]);
  await log.admin.query("INSERT INTO checkpoint (size, note) VALUES (0, 'note')");
  await log.admin.query(
    "INSERT INTO tile VALUES (0, 0, decode(repeat('00', 8192), 'hex'), decode(repeat('00', 32), 'hex'))",
  );
});
afterAll(() => Promise.all([log.drop(), world.close()]));

const refused = { code: '42501' };
const CHANGES = ['entry', 'tile', 'checkpoint'].flatMap((table) => [
  `DELETE FROM ${table}`,
  `TRUNCATE ${table} CASCADE`,
  `UPDATE ${table} SET ${{ entry: 'leaf', tile: 'hashes', checkpoint: 'note' }[table]} = ${table}.${{ entry: 'leaf', tile: 'hashes', checkpoint: 'note' }[table]}`,
]);
const UNSHRINKING = [
  'UPDATE tree_head SET size = size - 1',
  'DELETE FROM tree_head',
  'TRUNCATE tree_head',
  "UPDATE payload SET value = ''",
  'TRUNCATE payload',
];

describe('the auditor’s own role', () => {
  it.each([
    ...CHANGES,
    ...UNSHRINKING,
    'DELETE FROM payload',
    "INSERT INTO tree_head (one, size, nodes) VALUES (true, 0, '') ON CONFLICT (one) DO UPDATE SET size = 0",
    "INSERT INTO checkpoint (size, note) VALUES (0, 'x') ON CONFLICT (size, signed_at) DO UPDATE SET note = 'x'",
    'UPDATE published_checkpoint SET one = true',
    'DELETE FROM published_checkpoint',
    'ALTER TABLE entry DISABLE TRIGGER no_change',
    'DROP TRIGGER no_change ON entry',
    'DROP TABLE entry CASCADE',
    'CREATE RULE hide AS ON INSERT TO entry DO INSTEAD NOTHING',
    'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    'CREATE TABLE mine (a int)',
    'SET session_replication_role = replica',
    'UPDATE migration SET sha256 = id',
    'SELECT * FROM migration',
  ])('may not: %s', async (statement) => {
    await expect(log.runtime.pool.query(statement)).rejects.toMatchObject(refused);
  });

  it('may not sign: it adds no checkpoint', async () => {
    const insert = "INSERT INTO checkpoint (size, note) VALUES (1, 'note')";
    await expect(log.runtime.pool.query(insert)).rejects.toMatchObject(refused);
  });

  it('loses, at the next start, a right that it was given in between', async () => {
    await log.owner.pool.query(`GRANT DELETE ON payload TO ${log.runtimeRole}`);
    await migrateLog(log.owner, log.runtimeRole, log.signerRole);
    await expect(log.runtime.pool.query('DELETE FROM payload')).rejects.toMatchObject(refused);
  });
});

describe('the signer’s role', () => {
  it.each([
    'SELECT seq, leaf_hash FROM entry',
    'SELECT * FROM tile',
    'SELECT * FROM tree_head',
    'SELECT * FROM checkpoint',
  ])('may: %s', async (statement) => {
    expect((await log.signer.pool.query(statement)).rowCount).toBe(1);
  });
  it('may add a checkpoint, and not say when it was', async () => {
    const insert = (...more: [string, string] | []) =>
      log.signer.pool.query(
        `INSERT INTO checkpoint (size, note, vkeys${more[0] ?? ''}) VALUES (1, 'note', '{key}'${more[1] ?? ''})`,
      );
    await insert();
    await expect(insert(', signed_at', ', now()')).rejects.toMatchObject(refused);
  });
  it.each([
    ...CHANGES,
    ...UNSHRINKING,
    'SELECT leaf FROM entry',
    'SELECT * FROM payload',
    'SELECT * FROM published_checkpoint',
    'SELECT * FROM outbox',
    'SELECT * FROM store_meta',
    'SELECT * FROM migration',
    'DELETE FROM payload',
    "INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted) VALUES (1, '', '', '', 0, 0, 0, true)",
    "INSERT INTO tile VALUES (0, 1, '', '')",
    'UPDATE tree_head SET size = size + 1',
    'SELECT FROM tree_head FOR UPDATE',
    'ALTER TABLE checkpoint DISABLE TRIGGER no_change',
    'DROP TRIGGER no_change ON checkpoint',
    'CREATE TABLE mine (a int)',
    'SET session_replication_role = replica',
  ])('may not: %s', async (statement) => {
    await expect(log.signer.pool.query(statement)).rejects.toMatchObject(refused);
  });
});

it.each([...CHANGES, ...UNSHRINKING])('refuses even the owner: %s', async (statement) => {
  await expect(log.owner.pool.query(statement)).rejects.toMatchObject(refused);
});

it.each([...CHANGES, ...UNSHRINKING])('refuses a superuser who acts as a replica: %s', async (statement) => {
  await log.admin.query('BEGIN');
  await log.admin.query("SET LOCAL session_replication_role = 'replica'");
  await expect(log.admin.query(statement)).rejects.toMatchObject(refused);
  await log.admin.query('ROLLBACK');
});

it('migrates again without a change, also by two processes at once', async () => {
  await Promise.all([
    migrateLog(log.owner, log.runtimeRole, log.signerRole),
    migrateLog(log.owner, log.runtimeRole, log.signerRole),
  ]);
  const { rows } = await log.owner.pool.query<{ id: string }>('SELECT id FROM migration ORDER BY id');
  expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(['log-1', 'store-1']));
});
