/**
 * The tables of the log. They belong to an owner that only migrates; the auditor's own role may add and read. Triggers
 * refuse changes to everybody who has not first disabled them, and what a superuser does to rows and triggers alike shows in
 * the tree, whose signed heads are kept elsewhere too.
 */
import { transact, type Database } from '#store/database.js';
import { migrate, type Migration } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';

export const logMigrations: readonly Migration[] = [
  {
    id: 'log-1',
    sql: `
      -- leaf: the exact bytes that are hashed. The other columns are derived from it, for queries.
      CREATE TABLE entry (
        seq bigint PRIMARY KEY CHECK (seq >= 0),
        leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
        leaf bytea NOT NULL CHECK (octet_length(leaf) <= 65535),
        topic text NOT NULL, partition int NOT NULL, bus_offset bigint NOT NULL,
        appended_at_ms bigint NOT NULL, admitted boolean NOT NULL,
        type text, task_id text, event_id text,
        ingested_at timestamptz NOT NULL DEFAULT clock_timestamp());
      CREATE INDEX entry_task ON entry (task_id, seq) WHERE task_id IS NOT NULL;
      CREATE INDEX entry_type ON entry (type, seq) WHERE type IS NOT NULL;

      -- Raw bytes and the key of the entry's commitments. Erasable: nothing in the tree depends on it.
      CREATE TABLE payload (
        seq bigint PRIMARY KEY REFERENCES entry, entry_key bytea NOT NULL CHECK (octet_length(entry_key) = 32),
        record_key bytea, headers bytea, value bytea);

      -- Full tiles only: they never change. root: the node above, a hash of the next level's tile.
      CREATE TABLE tile (
        level smallint NOT NULL, idx bigint NOT NULL,
        hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192), root bytea NOT NULL CHECK (octet_length(root) = 32),
        PRIMARY KEY (level, idx));
      ALTER TABLE tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

      CREATE TABLE checkpoint (
        size bigint NOT NULL, note text NOT NULL, signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (size, signed_at));

      -- The right edge of the tree: all that appending needs.
      CREATE TABLE tree_head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        size bigint NOT NULL CHECK (size >= 0), nodes bytea NOT NULL);
      INSERT INTO tree_head (size, nodes) VALUES (0, '');

      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op USING errcode = '42501';
      END $$;
      CREATE FUNCTION refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.size < OLD.size THEN
          RAISE EXCEPTION 'the tree only grows' USING errcode = '42501';
        END IF;
        RETURN NEW;
      END $$;
      DO $$ DECLARE name text; BEGIN
        FOREACH name IN ARRAY ARRAY['entry', 'tile', 'checkpoint'] LOOP
          EXECUTE format('CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
          EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
          -- ALWAYS: session_replication_role = replica does not skip them.
          EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_truncate', name);
        END LOOP;
      END $$;
      CREATE TRIGGER no_change BEFORE UPDATE ON payload FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER no_truncate BEFORE TRUNCATE ON payload FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER grows BEFORE UPDATE ON tree_head FOR EACH ROW EXECUTE FUNCTION refuse_shrinking();
      CREATE TRIGGER no_delete BEFORE DELETE ON tree_head FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER no_truncate BEFORE TRUNCATE ON tree_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      ALTER TABLE payload ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_truncate;
      ALTER TABLE tree_head ENABLE ALWAYS TRIGGER grows, ENABLE ALWAYS TRIGGER no_delete, ENABLE ALWAYS TRIGGER no_truncate;
    `,
  },
  {
    id: 'log-2',
    sql: `
      -- A replay asks for decisions by the id under which they were told.
      CREATE INDEX entry_decision ON entry (event_id) WHERE type = 'call.decided';
    `,
  },
  {
    id: 'log-7',
    sql: `
      -- Half of all payloads are just above the two kilobytes from which PostgreSQL compresses, and signatures in base64 give it little to win.
      ALTER TABLE payload SET (toast_tuple_target = 8160);
    `,
  },
];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Brings the schema up to date as its owner, and gives the auditor's role what it needs and nothing else: whatever it was
 * given in between is taken away again. Safe to run by several processes at once.
 */
export async function migrateLog(owner: Database, runtimeRole: string): Promise<void> {
  await migrate(owner, [...storeMigrations, ...logMigrations]);
  const [schema, role] = [quoted(owner.schema), quoted(runtimeRole)];
  await transact(owner, async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.grant.' || $1, 0))", [
      owner.schema,
    ]);
    await tx.query(`
      REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC, ${role};
      REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM PUBLIC, ${role};
      REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM PUBLIC, ${role};
      GRANT USAGE ON SCHEMA ${schema} TO ${role};
      GRANT SELECT, INSERT ON entry, payload, tile, checkpoint TO ${role};
      GRANT SELECT ON tree_head, store_meta TO ${role};
      GRANT UPDATE (sent) ON store_meta TO ${role};
      GRANT UPDATE (size, nodes) ON tree_head TO ${role};
      GRANT SELECT, INSERT, UPDATE ON bus_offset, peer_counter TO ${role};
      GRANT SELECT, INSERT, DELETE ON outbox TO ${role};
      GRANT SELECT, INSERT, UPDATE ON dead_letter TO ${role};`);
  });
}

/** The role of a database URL: the one that the schema's rights are for. @throws TypeError if it names none. */
export function roleOf(url: string): string {
  const role = decodeURIComponent(new URL(url).username);
  if (role === '') throw new TypeError('the database URL names no role');
  return role;
}
