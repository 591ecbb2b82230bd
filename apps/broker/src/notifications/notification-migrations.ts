import type { Migration } from '#store/migrate.js';

/** What is to be told outside the bus. */
export const notificationMigrations: readonly Migration[] = [
  {
    id: 'broker-notifications-1',
    sql: `
      -- Who is told of what, as the broker that was started last has it in its configuration. tenants null: of all.
      CREATE TABLE notification_receiver (receiver text PRIMARY KEY, events text[] NOT NULL, tenants text[]);

      -- One row for each event and receiver, from the commit of the event until the receiver has taken it. event_id: of the record
      -- that tells of it on the bus. due_at: also until when one who sends it has it for itself. notice: its text is what is sent.
      CREATE TABLE notification (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, receiver text NOT NULL, event_id text NOT NULL, notice json NOT NULL,
        told_at timestamptz NOT NULL DEFAULT now(), due_at timestamptz NOT NULL DEFAULT now(), attempts int NOT NULL DEFAULT 0,
        UNIQUE (receiver, event_id));
      CREATE INDEX notification_due ON notification (receiver, due_at);
      CREATE INDEX notification_order ON notification (receiver, id);
      CREATE INDEX notification_told ON notification (told_at);
    `,
  },
];
