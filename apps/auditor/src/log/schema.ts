/**
 * The tables of the log. They belong to an owner that only migrates; the auditor's own role may add and read, and the signer's
 * may read the tree and add checkpoints. Triggers refuse changes to everybody who has not first disabled them, and what a superuser does to rows and triggers alike shows in
 * the tree, whose signed heads are kept elsewhere too.
 */
import { projectionGrants, projectionTables } from '#projection/schema.js';
import { transact, type Database } from '#store/database.js';
import { migrate, type Migration } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';
import { partitionEntries } from './partition-entries.js';

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
  partitionEntries,
  {
    id: 'log-4',
    sql: `
      -- n: the order in which they were signed. vkeys: by which keys; null before the signer was a process of its own.
      ALTER TABLE checkpoint ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY,
        ADD COLUMN vkeys text[] CHECK (cardinality(vkeys) BETWEEN 1 AND 4),
        ADD CHECK (octet_length(note) <= 16384);
      CREATE UNIQUE INDEX checkpoint_n ON checkpoint (n);

      -- Up to which checkpoint they were queued for the bus. Those of before were, where they were signed.
      CREATE TABLE published_checkpoint (one boolean PRIMARY KEY DEFAULT true CHECK (one), n bigint NOT NULL);
      INSERT INTO published_checkpoint (n) SELECT coalesce(max(n), 0) FROM checkpoint;
    `,
  },
  {
    id: 'log-5',
    sql: `
      -- Signature lines of witnesses (name+<key id>), of the checkpoint of this size.
      CREATE TABLE cosignature (
        size bigint NOT NULL CHECK (size >= 0), witness text NOT NULL, cosigned_at_s bigint NOT NULL, line text NOT NULL,
        PRIMARY KEY (size, witness, cosigned_at_s));
      CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON cosignature FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER no_truncate BEFORE TRUNCATE ON cosignature FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      ALTER TABLE cosignature ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_truncate;

      -- What each anchor has reached: a hint, which the anchor itself corrects.
      CREATE TABLE anchor (
        name text PRIMARY KEY, size bigint NOT NULL CHECK (size >= 0),
        reached_at timestamptz NOT NULL DEFAULT clock_timestamp());
    `,
  },
  { id: 'log-6', sql: projectionTables },
  {
    id: 'log-7',
    sql: `
      -- Half of all payloads are just above the two kilobytes from which PostgreSQL compresses, and signatures in base64 give it little to win.
      ALTER TABLE payload SET (toast_tuple_target = 8160);
    `,
  },
];

/** What the event triggers of a guarded database ask of whoever changes the schema (deploy/postgres/guard-the-log.sql). */
const MAINTENANCE = "SET LOCAL mayfly.log_maintenance = 'on'";

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Brings the schema up to date as its owner, and gives the auditor's role and the signer's what they need and nothing else:
 * whatever they were given in between is taken away again. Safe to run by several processes at once.
 */
export async function migrateLog(owner: Database, runtimeRole: string, signerRole: string): Promise<void> {
  await migrate(owner, [...storeMigrations, ...logMigrations], MAINTENANCE);
  const [schema, role, signer] = [quoted(owner.schema), quoted(runtimeRole), quoted(signerRole)];
  await transact(owner, async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.grant.' || $1, 0))", [
      owner.schema,
    ]);
    await tx.query(`
      REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC, ${role}, ${signer};
      REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM PUBLIC, ${role}, ${signer};
      REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM PUBLIC, ${role}, ${signer};
      REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${schema} FROM PUBLIC, ${role}, ${signer};
      GRANT USAGE ON SCHEMA ${schema} TO ${role}, ${signer};
      GRANT SELECT, INSERT ON entry, payload, tile TO ${role};
      GRANT SELECT ON checkpoint, published_checkpoint TO ${role};
      GRANT UPDATE (n) ON published_checkpoint TO ${role};
      GRANT SELECT, INSERT ON cosignature TO ${role};
      GRANT SELECT, INSERT, UPDATE ON anchor TO ${role};
      GRANT SELECT ON tree_head, store_meta TO ${role};
      GRANT UPDATE (sent) ON store_meta TO ${role};
      GRANT UPDATE (size, nodes) ON tree_head TO ${role};
      GRANT SELECT, INSERT, UPDATE ON bus_offset, peer_counter TO ${role};
      GRANT SELECT, INSERT, DELETE ON outbox TO ${role};
      GRANT SELECT, INSERT, UPDATE ON dead_letter TO ${role};
      GRANT SELECT, UPDATE (next, laps, suspects) ON row_check TO ${role};
      GRANT EXECUTE ON FUNCTION add_partitions() TO ${role};
      -- Of entries the signer sees the hashes only.
      GRANT SELECT (seq, leaf_hash) ON entry TO ${signer};
      GRANT SELECT ON tile, tree_head, checkpoint TO ${signer};
      GRANT INSERT (size, note, vkeys) ON checkpoint TO ${signer};
      ${projectionGrants(role)}`);
    await tx.query('SELECT add_partitions()');
  });
}

/** The role of a database URL: the one that the schema's rights are for. @throws TypeError if it names none. */
export function roleOf(url: string): string {
  const role = decodeURIComponent(new URL(url).username);
  if (role === '') throw new TypeError('the database URL names no role');
  return role;
}
