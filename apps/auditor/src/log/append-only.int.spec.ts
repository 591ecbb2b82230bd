/**
 * What nobody but a superuser can do to the log, on two major versions of PostgreSQL: ours, and the oldest other one that this
 * machine has. Where it has none, half of this is skipped and says so, and fails with MAYFLY_POSTGRES=required.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPostgres, startOwnPostgres, type OwnPostgres } from '../../../../test/support/own-postgres.mjs';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { openRoles, type RoleName, type Roles } from '../../spec/maintainer-roles.js';
import { common, World } from '../../spec/world.js';
import { migrateLog } from './schema.js';

const PAGE = readFileSync(
  join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'how-to', 'guard-the-log.md'),
  'utf8',
);
const OURS = 18;
const other = findPostgres().find(({ major }) => major >= 15 && major < OURS);
if (other === undefined && process.env['MAYFLY_POSTGRES'] === 'required')
  throw new Error('MAYFLY_POSTGRES=required, and this machine has no PostgreSQL 15 to 17');

const ROLES: readonly RoleName[] = ['writer', 'signer', 'reader', 'owner', 'dba', 'rewriter'];
const REPLACED =
  'FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$';
/** The first column is what bar B6 asks for. */
const ACTS = [
  ['UPDATE', 'UPDATE audit.entry SET leaf = leaf'],
  ['UPDATE', "UPDATE audit.entry_p0 SET leaf_hash = decode(repeat('00', 32), 'hex')"],
  ['UPDATE', 'UPDATE audit.tile SET hashes = hashes'],
  ['UPDATE', 'UPDATE audit.checkpoint SET note = note'],
  ['UPDATE', "UPDATE audit.cosignature SET line = ''"],
  ['UPDATE', 'UPDATE audit.tree_head SET size = size - 1'],
  ['DELETE', 'DELETE FROM audit.entry'],
  ['DELETE', 'DELETE FROM audit.entry_p0 WHERE seq = 2'],
  ['DELETE', 'DELETE FROM audit.tile'],
  ['DELETE', 'DELETE FROM audit.checkpoint'],
  ['DELETE', 'DELETE FROM audit.cosignature'],
  ['DELETE', 'DELETE FROM audit.tree_head'],
  ['TRUNCATE parent', 'TRUNCATE audit.entry CASCADE'],
  ['TRUNCATE child', 'TRUNCATE audit.entry_p0'],
  ['TRUNCATE child', 'TRUNCATE audit.entry_p2'],
  ['TRUNCATE', 'TRUNCATE audit.tile, audit.checkpoint, audit.payload'],
  [
    'ON CONFLICT UPDATE',
    'INSERT INTO audit.entry SELECT * FROM audit.entry ON CONFLICT (seq) DO UPDATE SET leaf = excluded.leaf',
  ],
  [
    'ON CONFLICT UPDATE',
    "INSERT INTO audit.checkpoint (size, note, signed_at) SELECT size, note, signed_at FROM audit.checkpoint ON CONFLICT (size, signed_at) DO UPDATE SET note = ''",
  ],
  ['DROP', 'DROP TABLE audit.entry CASCADE'],
  ['DROP', 'DROP TABLE audit.entry_p1'],
  ['DROP', 'DROP TABLE audit.tile'],
  ['DROP', 'DROP SCHEMA audit CASCADE'],
  ['DROP', 'DROP INDEX audit.entry_task'],
  ['DETACH', 'ALTER TABLE audit.entry DETACH PARTITION audit.entry_p0'],
  ['DETACH', 'ALTER TABLE audit.entry DETACH PARTITION audit.entry_p0 CONCURRENTLY'],
  ['DISABLE TRIGGER', 'ALTER TABLE audit.entry DISABLE TRIGGER no_change'],
  ['DISABLE TRIGGER', 'ALTER TABLE audit.entry_p0 DISABLE TRIGGER ALL'],
  ['DISABLE TRIGGER', 'ALTER TABLE audit.entry_p1 ENABLE REPLICA TRIGGER no_truncate'],
  ['DISABLE TRIGGER', 'DROP TRIGGER no_truncate ON audit.entry_p0'],
  ['DISABLE TRIGGER', 'ALTER TRIGGER no_truncate ON audit.entry RENAME TO other'],
  [
    'DISABLE TRIGGER',
    `CREATE TRIGGER hide BEFORE INSERT ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.refuse_change()`,
  ],
  ['RULE', 'CREATE RULE hide AS ON INSERT TO audit.entry DO INSTEAD NOTHING'],
  ['RULE', 'CREATE RULE hide AS ON DELETE TO audit.tile DO INSTEAD NOTHING'],
  ['RULE', 'CREATE POLICY hide ON audit.entry USING (false)'],
  ['RULE', 'ALTER TABLE audit.entry ENABLE ROW LEVEL SECURITY'],
  ['replica role', 'SET session_replication_role = replica'],
  ['REPLACE FUNCTION', `CREATE OR REPLACE ${REPLACED}`],
  ['REPLACE FUNCTION', 'ALTER FUNCTION audit.add_partitions() SECURITY INVOKER'],
  ['DROP FUNCTION', 'DROP FUNCTION audit.refuse_change() CASCADE'],
  ['DROP FUNCTION', 'DROP FUNCTION mayfly_guard.refuse_ddl() CASCADE'],
  ['DROP FUNCTION', 'DROP EVENT TRIGGER mayfly_log_end'],
  ['DROP FUNCTION', 'ALTER EVENT TRIGGER mayfly_log_drop DISABLE'],
  ['ALTER TABLE', "ALTER TABLE audit.entry ALTER COLUMN leaf TYPE bytea USING ''::bytea"],
  ['ALTER TABLE', 'ALTER TABLE audit.entry DROP COLUMN leaf'],
  ['ALTER TABLE', 'ALTER TABLE audit.entry ADD COLUMN more text'],
  ['ALTER TABLE', 'ALTER TABLE audit.entry RENAME TO former'],
  ['ALTER TABLE', 'ALTER TABLE audit.entry SET SCHEMA public'],
  ['ALTER TABLE', 'ALTER TABLE audit.entry_p0 SET UNLOGGED'],
  ['ALTER TABLE', 'ALTER TABLE audit.entry DROP CONSTRAINT entry_pkey'],
  ['ALTER TABLE', 'ALTER SCHEMA audit RENAME TO former'],
  ['CREATE', 'CREATE TABLE audit.more PARTITION OF audit.entry FOR VALUES FROM (90000000) TO (90000001)'],
  ['CREATE', 'CREATE TABLE audit.mine (a int)'],
  ['large object', 'SELECT lo_create(0)'],
] as const;

const cases = ROLES.flatMap((role) => ACTS.map(([act, statement]) => [role, act, statement] as const));
const describeOther =
  other === undefined
    ? (title: string, run: () => void) =>
        describe.skip(`${title} (no PostgreSQL 15 to 17 on this machine: apt-get install postgresql)`, run)
    : describe;

describe(`append-only on PostgreSQL ${OURS}`, () => matrix(() => Promise.resolve(undefined)));
describeOther(`append-only on PostgreSQL ${other?.major ?? 'of another version'}`, () =>
  matrix(() => startOwnPostgres(other === undefined ? {} : { other })),
);

function matrix(start: () => Promise<OwnPostgres | undefined>): void {
  let server: OwnPostgres | undefined;
  let log: LogDatabase;
  let world: World;
  let roles: Roles;
  let before: unknown;

  beforeAll(async () => {
    [server, world] = await Promise.all([start(), World.open()]);
    log = await freshLogDatabase({ adminUrl: server?.url, isGuarded: true });
    const batch = Array.from({ length: 260 }, () => world.wrote('broker', 'task.accepted', common));
    await ingesting(log.runtime, world).onBatch(batch);
    await log.admin.query(
      "INSERT INTO checkpoint (size, note) VALUES (0, 'note'); INSERT INTO cosignature VALUES (0, 'w', 1, 'line')",
    );
    roles = await openRoles(log, PAGE);
    before = await everything();
  });
  afterAll(async () => {
    await roles.close();
    await Promise.all([log.drop(), world.close()]);
    await server?.stop();
  });

  /** Rows, and whatever stands around them. */
  const everything = async () => {
    const read = async (sql: string) => (await log.admin.query<Record<string, unknown>>(sql)).rows;
    return {
      entries: await read(
        "SELECT count(*)::int, md5(string_agg(encode(leaf || leaf_hash, 'hex'), '' ORDER BY seq)) FROM entry",
      ),
      tiles: await read("SELECT count(*)::int, md5(string_agg(encode(hashes, 'hex'), '')) FROM tile"),
      head: await read('SELECT h.size, note FROM tree_head h, checkpoint'),
      partitions: await read('SELECT inhrelid::regclass::text, inhdetachpending FROM pg_inherits ORDER BY 1'),
      triggers: await read(
        `SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal OR tgname = 'no_change' ORDER BY 1, 2`,
      ),
      functions: await read(
        "SELECT proname, md5(prosrc) FROM pg_proc WHERE pronamespace = 'audit'::regnamespace ORDER BY 1",
      ),
      tables: await read(
        "SELECT relname FROM pg_class WHERE relnamespace = 'audit'::regnamespace ORDER BY 1",
      ),
    };
  };

  it.each(cases)('%s, %s: refused (%s)', async (role, _act, statement) => {
    await expect(roles.query(role, statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('leaves everything as it was', async () => {
    expect(await everything()).toEqual(before);
  });

  it('refuses rows to a role that was allowed to act as a replica', async () => {
    await log.admin.query(`GRANT SET ON PARAMETER session_replication_role TO ${roles.nameOf('owner')}`);
    await roles.query('owner', 'SET session_replication_role = replica');
    const refused = { code: '42501' };
    for (const statement of [
      'UPDATE audit.entry SET leaf = leaf',
      'DELETE FROM audit.entry_p0',
      'TRUNCATE audit.entry_p1',
      'TRUNCATE audit.entry CASCADE',
      'ALTER TABLE audit.entry DISABLE TRIGGER ALL',
      'DROP TABLE audit.entry_p1',
    ])
      await expect(roles.query('owner', statement)).rejects.toMatchObject(refused);
    await roles.query('owner', 'SET session_replication_role = DEFAULT');
    await log.admin.query(`REVOKE SET ON PARAMETER session_replication_role FROM ${roles.nameOf('owner')}`);
  });

  it('lets each do its own work: append, read, look after the tables, migrate', async () => {
    await ingesting(log.runtime, world).onBatch([world.wrote('broker', 'task.accepted', common)]);
    await roles.query('reader', 'SELECT * FROM audit.entry JOIN audit.tree_head ON seq < size');
    await expect(roles.query('reader', 'SELECT * FROM audit.payload')).rejects.toMatchObject({
      code: '42501',
    });
    await roles.query('dba', 'SELECT * FROM pg_stat_activity');
    await roles.query('owner', 'REINDEX INDEX audit.entry_p0_task');
    await migrateLog(log.owner, log.runtimeRole, log.signerRole);
    await log.owner.pool.query(
      'BEGIN; SET LOCAL mayfly.log_maintenance = on; CREATE TABLE audit.extra (a int); DROP TABLE audit.extra; COMMIT',
    );
  });

  it('makes the partition that comes next, with its triggers, and only that one, for the auditor’s own role', async () => {
    const made = async () =>
      (await roles.query('writer', 'SELECT audit.add_partitions() AS made')).rows as unknown[];
    expect(await made()).toEqual([{ made: 0 }]);
    await roles.query('writer', 'UPDATE audit.tree_head SET size = 4194304');
    expect(await made()).toEqual([{ made: 1 }]);
    expect(await made()).toEqual([{ made: 0 }]);

    const { rows } = await log.admin.query(
      `SELECT tgname AS name, tgenabled AS fires FROM pg_trigger WHERE tgrelid = 'entry_p3'::regclass ORDER BY 1`,
    );
    expect(rows).toEqual([
      { name: 'no_change', fires: 'A' },
      { name: 'no_truncate', fires: 'A' },
    ]);
    await expect(roles.query('owner', 'TRUNCATE audit.entry_p3')).rejects.toMatchObject({ code: '42501' });
    await expect(roles.query('reader', 'SELECT audit.add_partitions()')).rejects.toMatchObject({
      code: '42501',
    });
    await roles.query('writer', 'UPDATE audit.tree_head SET size = 4611686018427387904');
    expect(await made()).toEqual([{ made: 3 }]);
    const { rows: owners } = await log.admin.query<{ owner: string }>(
      "SELECT relowner::regrole::text AS owner FROM pg_class WHERE relname = 'entry_p3'",
    );
    expect(owners).toEqual([{ owner: roles.nameOf('owner') }]);
  });
}
