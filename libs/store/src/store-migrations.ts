import type { Migration } from './migrate.js';

/** The tables that every service needs: events, inbox, outbox, positions. A service adds its own after these. */
export const storeMigrations: readonly Migration[] = [
  {
    id: 'store-1',
    sql: `
      -- Made anew when a database is restored, so that readers of our records can see it.
      CREATE TABLE store_meta (one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch text NOT NULL);
      INSERT INTO store_meta (epoch) VALUES (replace(gen_random_uuid()::text, '-', ''));

      CREATE TABLE event (
        stream text NOT NULL, version int NOT NULL CHECK (version > 0),
        type text NOT NULL, data jsonb NOT NULL, ce_id text NOT NULL, caused_by text,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (stream, version));

      CREATE TABLE inbox (
        sender text NOT NULL, ce_id text NOT NULL, wire_type text NOT NULL, value_sha256 text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (sender, ce_id));

      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL, key text NOT NULL, head jsonb NOT NULL, value bytea, extra jsonb NOT NULL DEFAULT '{}',
        queued_at timestamptz NOT NULL DEFAULT now());

      CREATE TABLE bus_offset (
        consumer_group text NOT NULL, topic text NOT NULL, partition int NOT NULL, next bigint NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition));

      CREATE TABLE peer_counter (
        topic text NOT NULL, partition int NOT NULL, service text NOT NULL, epoch text NOT NULL, n bigint NOT NULL,
        PRIMARY KEY (topic, partition, service));
    `,
  },
  {
    id: 'store-2',
    sql: `
      -- Records that could not be handled, raw, so that they can be tried again; what is settled is emptied of its bytes.
      -- A copy without tokens is on the dead-letter topic. Only the service's role reads this table.
      CREATE TABLE dead_letter (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer_group text NOT NULL, topic text NOT NULL, partition int NOT NULL, bus_offset bigint NOT NULL,
        key_text text NOT NULL, record_key bytea, headers bytea, value bytea, value_sha256 text NOT NULL,
        appended_at_ms bigint NOT NULL,
        why text NOT NULL CHECK (why IN ('bug', 'behind')), code text NOT NULL, detail text NOT NULL,
        -- Whether later records of its key wait for it.
        holds boolean NOT NULL,
        -- Records behind it that were beyond the limit: on the dead-letter topic only.
        passed_over int NOT NULL DEFAULT 0,
        state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'retry', 'drop', 'released', 'dropped')),
        attempts int NOT NULL DEFAULT 1,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ordered_by text, ordered_at timestamptz, reason text, settled_at timestamptz,
        UNIQUE (consumer_group, topic, partition, bus_offset));
      CREATE INDEX dead_letter_held ON dead_letter (consumer_group, key_text, id) WHERE holds AND settled_at IS NULL;
      CREATE INDEX dead_letter_open ON dead_letter (consumer_group, id) WHERE settled_at IS NULL;
      CREATE INDEX dead_letter_ordered ON dead_letter (consumer_group, ordered_at) WHERE state IN ('retry', 'drop');
      CREATE INDEX dead_letter_settled ON dead_letter (settled_at) WHERE settled_at IS NOT NULL;
    `,
  },
  {
    id: 'store-3',
    sql: `
      -- Of the data, counted per type: what is stored is lifted to today's shape when it is read.
      ALTER TABLE event ADD COLUMN schema_version int NOT NULL DEFAULT 1 CHECK (schema_version > 0);

      -- Old entries are dropped by it.
      CREATE INDEX inbox_received ON inbox (received_at);
    `,
  },
  {
    id: 'store-4',
    sql: `
      -- earlier: epochs whose records this database has taken over. sent: the highest record that left the outbox.
      -- recovering: what a service has to do before it works again, as the command "recover" ordered it.
      ALTER TABLE store_meta ADD COLUMN earlier text[] NOT NULL DEFAULT '{}', ADD COLUMN sent bigint NOT NULL DEFAULT 0,
        ADD COLUMN recovering jsonb;
      UPDATE store_meta SET sent = (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_id_seq);

      -- Of the record with the highest counter, so that another one with the same counter is seen to be another.
      ALTER TABLE peer_counter ADD COLUMN ce_id text;
    `,
  },
  {
    id: 'store-5',
    sql: `
      -- The versions in which releases that ran here write events: an earlier one may not be able to read them.
      CREATE TABLE event_version (type text PRIMARY KEY, version int NOT NULL);
    `,
  },
  {
    id: 'store-6',
    sql: `
      -- Rows that leave within the second: not worth compressing, nor a second table.
      ALTER TABLE outbox SET (toast_tuple_target = 8160);
    `,
  },
  {
    id: 'store-7',
    sql: `
      -- Offsets at or beyond "next" that are handled: somebody waited for what follows from those records, and they overtook others.
      ALTER TABLE bus_offset ADD COLUMN beyond bigint[] NOT NULL DEFAULT '{}';
    `,
  },
];
