import { targetAccountMigration } from '#service/target-accounts.js';
import type { Migration } from '#store/migrate.js';
import { storeMigrations } from '#store/store-migrations.js';
import { surveyMigrations } from './survey/survey-migrations.js';
import { orderMigrations } from './orders/order-migrations.js';

/** The revoker's own tables, beside those of every service. Times are those of the process that wrote them. */
export const revokerMigrations: readonly Migration[] = [
  ...storeMigrations,
  {
    id: 'revoker-1',
    sql: `
      -- Its row lock serialises everything about the task: its stream, its end, its leases.
      CREATE TABLE task (task_id text PRIMARY KEY, state jsonb);

      -- Ends, remembered: a lease heard of later is due at once.
      CREATE TABLE tombstone (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        task_id text NOT NULL, generation_below int, cause text NOT NULL, caused_by text,
        recorded_at timestamptz NOT NULL DEFAULT now());
      CREATE INDEX tombstone_task ON tombstone (task_id);

      CREATE TABLE lease (
        lease_id text PRIMARY KEY, task_id text NOT NULL, target text,
        state text NOT NULL CHECK (state IN ('known', 'due', 'cut', 'removed')),
        not_after timestamptz,
        -- When a worker is to look at it. A worker that takes it sets the moment at which its claim lapses.
        act_at timestamptz, taken_by text,
        body jsonb NOT NULL);
      CREATE INDEX lease_expiring ON lease (not_after) WHERE state = 'known';
      CREATE INDEX lease_due ON lease (target, act_at) WHERE state = 'due' AND target IS NOT NULL;
      CREATE INDEX lease_cut ON lease (target, act_at) WHERE state = 'cut' AND target IS NOT NULL;
      CREATE INDEX lease_taken ON lease (taken_by) WHERE taken_by IS NOT NULL;

      CREATE TABLE lease_lineage (
        task_id text NOT NULL, lease_id text NOT NULL REFERENCES lease ON DELETE CASCADE, generation int NOT NULL,
        PRIMARY KEY (task_id, lease_id));

      -- What verifiers are told is dead, and what sums it up: one row, locked last, so that records leave in the order of seq.
      CREATE TABLE revocation (
        key text PRIMARY KEY, generation_below int, not_after timestamptz NOT NULL, value bytea NOT NULL);
      CREATE INDEX revocation_over ON revocation (not_after);
      CREATE TABLE revocation_seq (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        seq bigint NOT NULL, live bigint NOT NULL, set_digest bytea NOT NULL, beat_at timestamptz NOT NULL);
      INSERT INTO revocation_seq (seq, live, set_digest, beat_at) VALUES (0, 0, decode(repeat('00', 32), 'hex'), 'epoch');
    `,
  },
  {
    id: 'revoker-2',
    sql: `
      -- over_ms: the latest moment at which anything under the task could end, once the broker has accepted its start.
      ALTER TABLE task
        ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN over_ms bigint GENERATED ALWAYS AS ((state->'accepted'->>'deadlineMs')::bigint) STORED;
      CREATE INDEX task_over ON task (over_ms) WHERE over_ms IS NOT NULL;
      CREATE INDEX task_unaccepted ON task (heard_at) WHERE over_ms IS NULL;

      ALTER TABLE lease ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now();
      -- Text of toISOString, which sorts by time.
      CREATE INDEX lease_removed ON lease ((body->'plan'->>'hardEnd')) WHERE state = 'removed';
      CREATE INDEX lease_unplanned ON lease (heard_at) WHERE target IS NULL;
      CREATE INDEX lease_lineage_lease ON lease_lineage (lease_id);
    `,
  },
  {
    id: 'revoker-3',
    sql: `
      CREATE INDEX lease_agent ON lease ((body->>'agent')) WHERE state = 'known';
      -- The status lists: what of these leases is not known to live is invalid there.
      CREATE INDEX lease_status ON lease ((body#>>'{plan,token,status,uri}'), not_after)
        WHERE body#>>'{plan,token,status,uri}' IS NOT NULL;

      -- Numbered in the order of the commits, so that whoever tells others can go on from where it was.
      ALTER TABLE revocation ADD COLUMN seq bigint NOT NULL DEFAULT 0, ADD COLUMN caused_by text;
      CREATE INDEX revocation_in_order ON revocation (seq);

      -- What receivers outside the bus are still to be told: one row for each of them. due_at: when it is to be sent, again.
      CREATE TABLE security_event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        receiver text NOT NULL, jti text NOT NULL, event jsonb NOT NULL,
        not_after timestamptz NOT NULL, due_at timestamptz NOT NULL, attempts int NOT NULL DEFAULT 0,
        UNIQUE (receiver, jti));
      CREATE INDEX security_event_due ON security_event (receiver, due_at);
      CREATE TABLE security_event_seq (one boolean PRIMARY KEY DEFAULT true CHECK (one), seq bigint NOT NULL);
      INSERT INTO security_event_seq (seq) SELECT seq FROM revocation_seq;
    `,
  },
  ...surveyMigrations,
  {
    id: 'revoker-4',
    sql: `
      -- The place of a due lease in the line of those that nobody has looked at yet; null once it was taken.
      ALTER TABLE lease ADD COLUMN turn_at timestamptz;
      CREATE INDEX lease_in_line ON lease (target, turn_at) WHERE state = 'due' AND turn_at IS NOT NULL;
      DROP INDEX lease_due;
      CREATE INDEX lease_due ON lease (target, act_at) WHERE state = 'due' AND turn_at IS NULL;
    `,
  },
  targetAccountMigration('revoker'),
  ...orderMigrations,
];
