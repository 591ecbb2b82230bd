import { targetAccountMigration } from '#service/target-accounts.js';
import type { Migration } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';
import { standingMigrations } from './agents/standing-rows.js';
import { approvalMigrations } from './approvals/approval-migrations.js';
import { httpMigrations } from './http/http-migrations.js';
import { notificationMigrations } from './notifications/notification-migrations.js';
import { policyMigrations } from './policy/policy-migrations.js';
import { renewalMigrations } from './renewal-migrations.js';
import { useMigrations } from './use-rows.js';

/** The broker's tables: what is true now, kept in the transaction of the events that made it so. */
export const brokerMigrations: readonly Migration[] = [
  ...storeMigrations,
  {
    id: 'broker-1',
    sql: `
      -- One row a task: its folded state, and the lock under which everything about it is decided.
      CREATE TABLE task (
        task_id text PRIMARY KEY, version int NOT NULL DEFAULT 0, status text NOT NULL DEFAULT 'unknown',
        deadline_at timestamptz, ancestors text[] NOT NULL DEFAULT '{}', state jsonb);
      CREATE INDEX task_overdue ON task (deadline_at) WHERE status = 'open';

      -- Who acts in which task: tasks of one identity at once are limited.
      CREATE TABLE task_sender (sender text NOT NULL, task_id text NOT NULL REFERENCES task, PRIMARY KEY (sender, task_id));

      CREATE TABLE call (
        task_id text NOT NULL REFERENCES task, agent text NOT NULL, call_id text NOT NULL,
        content_sha256 text NOT NULL, state text NOT NULL, code text, reasons jsonb NOT NULL DEFAULT '[]',
        lease_id text, attempts int NOT NULL DEFAULT 1, request jsonb NOT NULL, sender jsonb NOT NULL,
        PRIMARY KEY (task_id, agent, call_id));

      CREATE TABLE lease (
        lease_id text PRIMARY KEY, task_id text NOT NULL, agent text NOT NULL, call_id text NOT NULL,
        state text NOT NULL, cut_heard boolean NOT NULL DEFAULT false,
        intent jsonb NOT NULL, create_by timestamptz NOT NULL, claimed_by text NOT NULL,
        -- The sealed envelope: nobody but the agent can open it. Erased when the lease ends.
        envelope text);
      CREATE INDEX lease_undecided ON lease (create_by) WHERE state = 'intended';
      -- Rule 1 of the protocol, by the database too.
      CREATE UNIQUE INDEX lease_one_per_call ON lease (task_id, agent, call_id) WHERE state <> 'abandoned';

      -- The whole request of each decision, so that it can be decided again against another policy set.
      CREATE TABLE decision_input (digest text PRIMARY KEY, inputs jsonb NOT NULL, kept_at timestamptz NOT NULL DEFAULT now());
    `,
  },
  {
    id: 'broker-2',
    sql: `
      -- A suspended task is over at its deadline like any other.
      DROP INDEX task_overdue;
      CREATE INDEX task_overdue ON task (deadline_at) WHERE status IN ('open', 'suspended');
    `,
  },
  {
    id: 'broker-3',
    sql: `
      -- shape: that of state. A row of another shape than the code's is folded anew from its stream.
      -- heard_at: when the task was first heard of. calls_gone: nothing of its calls and leases is kept any more.
      ALTER TABLE task
        ADD COLUMN shape int NOT NULL DEFAULT 1,
        ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN calls_gone boolean NOT NULL DEFAULT false;
      CREATE INDEX task_over ON task (deadline_at) WHERE status = 'ended' AND NOT calls_gone;
      CREATE INDEX task_bare ON task (deadline_at) WHERE status = 'ended' AND calls_gone;
      CREATE INDEX task_unknown ON task (heard_at) WHERE status = 'unknown';

      -- A call that is asked again later is refused, and leaves a row once more: it goes with its task.
      ALTER TABLE call DROP CONSTRAINT call_task_id_fkey, ADD FOREIGN KEY (task_id) REFERENCES task ON DELETE CASCADE;
      ALTER TABLE task_sender DROP CONSTRAINT task_sender_task_id_fkey,
        ADD FOREIGN KEY (task_id) REFERENCES task ON DELETE CASCADE;
      CREATE INDEX task_sender_task ON task_sender (task_id);
      -- The others of a task are found by lease_one_per_call.
      CREATE INDEX lease_abandoned ON lease (task_id) WHERE state = 'abandoned';

      CREATE INDEX decision_input_kept ON decision_input (kept_at);
    `,
  },
  {
    id: 'broker-4',
    sql: `
      -- Refused records of the present while: how many were written down singly, and what is known of the others.
      CREATE TABLE refusal_window (
        topic text NOT NULL, partition int NOT NULL, sender text NOT NULL, code text NOT NULL,
        opened_at_ms bigint NOT NULL, singly int NOT NULL,
        count int NOT NULL, reason text, first_offset bigint, first_sha256 text, last_offset bigint, last_sha256 text,
        PRIMARY KEY (topic, partition, sender, code));
    `,
  },
  {
    id: 'broker-5',
    sql: `
      -- Keys that sign tokens. wrapped: the private key, encrypted under a key that is not here; gone once it signs no more.
      CREATE TABLE token_key (
        kid text PRIMARY KEY, jwk jsonb NOT NULL, wrapped bytea, why text NOT NULL,
        state text NOT NULL CHECK (state IN ('published', 'active', 'retired', 'forgotten')),
        published_at timestamptz NOT NULL, active_at timestamptz, retired_at timestamptz);
      CREATE UNIQUE INDEX token_key_one ON token_key (state) WHERE state IN ('published', 'active');

      -- Other secrets of tokens, encrypted in the same way.
      CREATE TABLE token_secret (name text PRIMARY KEY, wrapped bytea NOT NULL);

      -- Places in status lists, taken in blocks.
      CREATE SEQUENCE status_index AS bigint MINVALUE 0 START 0 INCREMENT 1024;
    `,
  },
  ...httpMigrations,
  {
    id: 'broker-6',
    sql: `
      -- An operator's word that another key is to sign; carried out by whichever broker comes first.
      CREATE TABLE token_key_order (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ordered_by text NOT NULL, ordered_at timestamptz NOT NULL DEFAULT now(),
        how text NOT NULL CHECK (how IN ('ahead', 'at_once', 'compromised')));
      ALTER TABLE token_key ADD COLUMN ordered_by text;
    `,
  },
  ...approvalMigrations,
  ...policyMigrations,
  ...notificationMigrations,
  {
    id: 'broker-children-1',
    sql: `
      -- Children that are under way: one of which an ancestor has ended is ended too.
      CREATE INDEX task_child ON task (task_id) WHERE status IN ('open', 'suspended') AND ancestors <> '{}';
    `,
  },
  {
    id: 'broker-7',
    sql: `
      -- A sealed envelope does not compress, and is erased within minutes.
      ALTER TABLE lease SET (toast_tuple_target = 8160);
    `,
  },
  ...renewalMigrations,
  ...useMigrations,
  ...standingMigrations,
  targetAccountMigration('broker'),
];
