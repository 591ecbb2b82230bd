/**
 * The tables of the projections: what the log says, in rows that answer questions. Nothing is in them that cannot be made anew from `entry`. They
 * stand twice: what answers, and what `mayfly audit rebuild` makes beside it. Times are epoch milliseconds by the clock of whoever said so.
 */
import { TABLE_NAMES } from './tables.js';

const live = ['projection', ...TABLE_NAMES];

/** Migration `log-6`: it is applied as it stands here. */
export const projectionTables = `
  -- Entries below \`next\` are in the rows, by the rules of this number. longest_ms: no lease was granted for longer.
  CREATE TABLE projection (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    rules int NOT NULL, next bigint NOT NULL CHECK (next >= 0), longest_ms bigint NOT NULL);
  INSERT INTO projection (rules, next, longest_ms) VALUES (0, 0, 0);

  CREATE TABLE task_life (
    task_id text PRIMARY KEY, tenant text, orchestrator text, principal text, principal_kind text, risk text,
    accepted_at_ms bigint, seq_accepted bigint, ended_at_ms bigint, outcome text, seq_ended bigint);

  -- A row for each lease. principal, task_ended_at_ms and outlived_ms follow from it and its task.
  CREATE TABLE access_grant (
    lease_id text PRIMARY KEY, task_id text, tenant text, agent text, principal text, call_id text, tool text, dataset text, action text,
    provider text, target text, account text, rights jsonb, policy_set text, seq_decided bigint, approval_id text, approvers jsonb,
    granted_at_ms bigint, seq_granted bigint, expires_at_ms bigint, renewals int, abandoned_at_ms bigint,
    cut_requested_at_ms bigint, attempts int, cut_at_ms bigint, cause text, exposure_ms bigint, seq_cut bigint, removed_at_ms bigint,
    task_ended_at_ms bigint, outlived_ms bigint, seq_changed bigint);
  CREATE INDEX access_grant_task ON access_grant (task_id);
  CREATE INDEX access_grant_granted ON access_grant (granted_at_ms, seq_granted) WHERE seq_granted IS NOT NULL;
  CREATE INDEX access_grant_dataset ON access_grant (dataset, granted_at_ms, seq_granted) WHERE seq_granted IS NOT NULL;
  CREATE INDEX access_grant_open ON access_grant (granted_at_ms, seq_granted) WHERE seq_granted IS NOT NULL AND cut_at_ms IS NULL;
  CREATE INDEX access_grant_ended ON access_grant (task_ended_at_ms) INCLUDE (outlived_ms)
    WHERE seq_granted IS NOT NULL AND task_ended_at_ms IS NOT NULL;
  CREATE INDEX access_grant_outlived ON access_grant (outlived_ms, seq_granted) WHERE outlived_ms > 0;
  CREATE INDEX access_grant_undecided ON access_grant (granted_at_ms, seq_granted)
    WHERE seq_granted IS NOT NULL AND (seq_decided IS NULL OR seq_decided > seq_granted);

  -- How often, by day (UTC) of the decision. What is not told is ''.
  CREATE TABLE decision_count (
    day text, tenant text, agent text, tool text, dataset text, action text, decision text, code text,
    day_at_ms bigint, count bigint, seq_first bigint, seq_last bigint,
    PRIMARY KEY (day, tenant, agent, tool, dataset, action, decision, code));
  CREATE INDEX decision_count_day ON decision_count (decision, day_at_ms, seq_first);

  CREATE TABLE approval (
    approval_id text PRIMARY KEY, task_id text, tenant text, agent text, call_id text, tool text, dataset text, action text, target text,
    approval text, needed int, not_by jsonb, policy_set text, requested_at_ms bigint, seq_requested bigint, expires_at_ms bigint,
    first_answer_at_ms bigint, approvers jsonb, granted int, break_glass boolean,
    rank int, state text, settled_by text, settled_at_ms bigint, seq_settled bigint, lease_id text);
  CREATE INDEX approval_requested ON approval (requested_at_ms, seq_requested) WHERE seq_requested IS NOT NULL;

  CREATE TABLE agent_seen (
    tenant text, agent text, first_seen_at_ms bigint, last_seen_at_ms bigint, calls bigint, permitted bigint, refused bigint,
    models jsonb, seq_first bigint, seq_last bigint,
    PRIMARY KEY (tenant, agent));
  CREATE INDEX agent_seen_first ON agent_seen (first_seen_at_ms, seq_first);

  CREATE TABLE policy_activation (
    event_id text PRIMARY KEY, policy_set text, previous text, added jsonb, removed jsonb, changed jsonb, policies int, activated_by text,
    activated_at_ms bigint, seq_activated bigint);
  CREATE INDEX policy_activation_at ON policy_activation (activated_at_ms, seq_activated);

  CREATE TABLE standing_access (
    target text, principal text, provider text, reaches jsonb, more int, ways jsonb, never_expires boolean, owners jsonb,
    found_at_ms bigint, seq_found bigint, told_at_ms bigint, seq_told bigint, gone_at_ms bigint, why text,
    PRIMARY KEY (target, principal));
  CREATE INDEX standing_access_found ON standing_access (found_at_ms, seq_found) WHERE seq_found IS NOT NULL;

  -- Beside them, for a while: made anew, to be compared.
  DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['projection', 'task_life', 'access_grant', 'decision_count', 'approval', 'agent_seen',
        'policy_activation', 'standing_access'] LOOP
      EXECUTE format('CREATE UNLOGGED TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', 'rebuilt_' || name, name);
    END LOOP;
  END $$;
`;

/** Of the auditor's own role: it makes and unmakes rows that say what the log says, and no entry. */
export const projectionGrants = (role: string): string => `
  GRANT SELECT, INSERT, UPDATE, DELETE ON ${live.join(', ')} TO ${role};
  GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${live.map((name) => `rebuilt_${name}`).join(', ')} TO ${role};`;
