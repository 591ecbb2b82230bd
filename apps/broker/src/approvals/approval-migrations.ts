import type { Migration } from '#store/migrate.js';

/** What people are asked about calls, and what they said. */
export const approvalMigrations: readonly Migration[] = [
  {
    id: 'broker-approvals-1',
    sql: `
      CREATE TABLE approval (
        approval_id text PRIMARY KEY, task_id text NOT NULL REFERENCES task ON DELETE CASCADE,
        agent text NOT NULL, call_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('open', 'consumed', 'refused', 'expired', 'withdrawn')),
        -- state: all that its events say of it, folded.
        expires_at timestamptz NOT NULL, state jsonb NOT NULL);
      CREATE INDEX approval_open ON approval (expires_at) WHERE status = 'open';
      CREATE INDEX approval_load ON approval (agent) WHERE status = 'open';
      CREATE INDEX approval_task ON approval (task_id);

      -- It is of use once, by the database too.
      CREATE TABLE approval_use (
        approval_id text PRIMARY KEY, task_id text NOT NULL REFERENCES task ON DELETE CASCADE, lease_id text NOT NULL UNIQUE);
      CREATE INDEX approval_use_task ON approval_use (task_id);

      ALTER TABLE call ADD COLUMN approval_id text;
    `,
  },
];
