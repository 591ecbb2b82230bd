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
];
