import type { Migration } from '#store/migrate.js';

/** What renewals need. */
export const renewalMigrations: readonly Migration[] = [
  {
    id: 'broker-renewal-1',
    sql: `
      -- not_after: the end that it was renewed to; null: as intended.
      ALTER TABLE lease ADD COLUMN not_after timestamptz, ADD COLUMN renewals int NOT NULL DEFAULT 0;

      -- The last renewal of each lease. intended: the target is being asked to let it live until not_after, or may have been.
      CREATE TABLE renewal (
        lease_id text PRIMARY KEY, task_id text NOT NULL, ce_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('intended', 'renewed', 'refused')),
        not_after text, code text, reasons jsonb NOT NULL DEFAULT '[]',
        request jsonb NOT NULL, sender jsonb NOT NULL,
        answered_in text NOT NULL CHECK (answered_in IN ('delivery', 'reply')),
        claimed_by text NOT NULL, saved_at timestamptz NOT NULL DEFAULT clock_timestamp());
      CREATE INDEX renewal_undecided ON renewal (saved_at) WHERE state = 'intended';
      CREATE INDEX renewal_task ON renewal (task_id);
    `,
  },
];
