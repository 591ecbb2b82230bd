-- What Mayfly needs at any PostgreSQL target (16 or later): one schema with one table, 64 roles that make principals,
-- two logins. Run it as a superuser, connected to the database whose data Mayfly lends. Idempotent; plain SQL, no psql
-- commands, so any client can send the file as one message.
--
-- Secrets come from two settings of the session that runs this file (README.md), never from the file:
--   SELECT set_config('mayfly.broker_verifier', $1, false), set_config('mayfly.revoker_verifier', $2, false);
-- Each value is a SCRAM-SHA-256 verifier, or a clear-text password that the server hashes. A value that is missing or
-- empty leaves the login's password as it is.

-- Two runs at once: the second waits. Sent as one message, the file is one transaction.
SELECT pg_advisory_xact_lock(hashtextextended('mayfly:rights', 0));

DO $roles$
DECLARE
  login record;
  issuer text;
  -- mayfly_issuer, mayfly_issuer_1, … mayfly_issuer_63
  issuers CONSTANT text[] := ARRAY(SELECT 'mayfly_issuer' || coalesce('_' || nullif(n, 0), '') FROM generate_series(0, 63) AS n);
BEGIN
  -- Who creates a role on PostgreSQL 16+ is the only one who may alter or drop it. These roles are the common creators, so
  -- that the revoker can cut what the broker created, and both logins can be replaced. They are many because whatever is
  -- done to a role costs time in proportion to the live roles of its creator; each may do what the others may, to its own only.
  FOREACH issuer IN ARRAY issuers LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = issuer) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', issuer);
    END IF;
    EXECUTE format('ALTER ROLE %I NOSUPERUSER CREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS NOLOGIN NOINHERIT', issuer);
  END LOOP;

  FOR login IN
    SELECT 'mayfly_broker' AS name, current_setting('mayfly.broker_verifier', true) AS verifier
    UNION ALL
    SELECT 'mayfly_revoker', current_setting('mayfly.revoker_verifier', true)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login.name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', login.name);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS INHERIT', login.name);
    IF coalesce(login.verifier, '') <> '' THEN
      EXECUTE format('ALTER ROLE %I PASSWORD %L', login.name, login.verifier);
    END IF;
    -- INHERIT FALSE: the login has none of the creator's rights until it says SET ROLE.
    FOREACH issuer IN ARRAY issuers LOOP
      EXECUTE format('GRANT %I TO %I WITH ADMIN FALSE, INHERIT FALSE, SET TRUE', issuer, login.name);
    END LOOP;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), login.name);
  END LOOP;
END
$roles$;

-- Ending sessions is the revoker's alone.
GRANT pg_signal_backend TO mayfly_revoker WITH ADMIN FALSE, INHERIT TRUE, SET FALSE;

CREATE SCHEMA IF NOT EXISTS mayfly;
REVOKE ALL ON SCHEMA mayfly FROM PUBLIC;

-- The fence. A create inserts its lease here in the transaction that makes the role; a cut writes `cut` first. Whoever
-- comes second meets the primary key, so a create that lands after its cut makes nothing.
CREATE TABLE IF NOT EXISTS mayfly.fence (
  lease_id   uuid        PRIMARY KEY,
  principal  text        NOT NULL CHECK (principal ~ '^k[0-9a-z]{3}[0-9a-hjkmnp-tv-z]{26}$'),
  -- The role's oid: finds its sessions after somebody dropped the role. Null: cut before anything was created.
  role_oid   oid,
  state      text        NOT NULL DEFAULT 'created' CHECK (state IN ('created', 'cut')),
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The lease's hard end and a day: until then the row must stay.
  keep_until timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS fence_keep_until ON mayfly.fence (keep_until);
REVOKE ALL ON mayfly.fence FROM PUBLIC;

GRANT USAGE ON SCHEMA mayfly TO mayfly_broker, mayfly_revoker;
GRANT SELECT ON mayfly.fence TO mayfly_broker;
GRANT SELECT, INSERT, UPDATE, DELETE ON mayfly.fence TO mayfly_revoker;
GRANT USAGE ON LANGUAGE plpgsql TO mayfly_revoker;

DO $issuers$
DECLARE
  issuers text;
BEGIN
  SELECT string_agg(quote_ident(rolname), ', ') INTO issuers FROM pg_roles WHERE rolname ~ '^mayfly_issuer(_[0-9]+)?$';
  EXECUTE 'GRANT USAGE ON SCHEMA mayfly TO ' || issuers;
  -- The creating side can write `created` rows only, and can never undo a cut.
  EXECUTE 'GRANT INSERT (lease_id, principal, role_oid, keep_until) ON mayfly.fence TO ' || issuers;
  EXECUTE 'GRANT USAGE ON LANGUAGE plpgsql TO ' || issuers;
END
$issuers$;

-- For every policy role (a NOLOGIN role that carries the rights to lend), to every issuer that `issuerShards` counts:
--   GRANT <policy role> TO mayfly_issuer, mayfly_issuer_1, … WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
-- and CONNECT on this database to the policy role, if PUBLIC has it no more.
