-- Run once as superuser in Mayfly's database: from then on even the owner of the log's tables cannot alter, drop or detach them
-- by mistake. Can be run again. `npm start` does it where it may; `mayfly doctor` says whether it stands.
--
-- The schema of the log is `audit`; where yours has another name, change it in this file: it stands in one place.
-- What has to be done there by hand is done in a transaction that begins with: SET LOCAL mayfly.log_maintenance = 'on'
-- Migrations say the same. It is a word, not a right: whoever has the owner's login can say it. What is done to rows after that
-- shows in the signed tree.

-- Apart from the log's schema, whose owner could drop what lies in it.
CREATE SCHEMA IF NOT EXISTS mayfly_guard;
REVOKE ALL ON SCHEMA mayfly_guard FROM PUBLIC;

CREATE OR REPLACE FUNCTION mayfly_guard.refuse_ddl() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  guarded CONSTANT text := 'audit';
  touched text;
BEGIN
  -- An index that is built again has the same rows.
  IF current_setting('mayfly.log_maintenance', true) = 'on' OR tg_tag = 'REINDEX' THEN
    RETURN;
  END IF;
  IF tg_event = 'ddl_command_start' THEN
    -- It commits half of its work before its end, so a refusal there comes too late. It cannot run out of a function, so the
    -- words are those that were sent.
    IF current_query() ~* '\mdetach\M.*\mpartition\M.*\mconcurrently\M' THEN
      touched := 'a partition';
    END IF;
  ELSIF tg_event = 'sql_drop' THEN
    SELECT object_identity INTO touched FROM pg_event_trigger_dropped_objects()
      WHERE schema_name = guarded OR address_names[1] = guarded LIMIT 1;
  ELSE
    SELECT object_identity INTO touched
      FROM pg_event_trigger_ddl_commands() LEFT JOIN LATERAL pg_identify_object_as_address(classid, objid, objsubid) place ON true
      WHERE schema_name = guarded OR place.object_names[1] = guarded LIMIT 1;
  END IF;
  IF touched IS NOT NULL THEN
    RAISE EXCEPTION 'the log is guarded: % of % refused', tg_tag, touched
      USING errcode = '42501', hint = 'see deploy/postgres/guard-the-log.sql';
  END IF;
END $$;

DROP EVENT TRIGGER IF EXISTS mayfly_log_start;
DROP EVENT TRIGGER IF EXISTS mayfly_log_end;
DROP EVENT TRIGGER IF EXISTS mayfly_log_drop;
CREATE EVENT TRIGGER mayfly_log_start ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
  EXECUTE FUNCTION mayfly_guard.refuse_ddl();
CREATE EVENT TRIGGER mayfly_log_end ON ddl_command_end EXECUTE FUNCTION mayfly_guard.refuse_ddl();
CREATE EVENT TRIGGER mayfly_log_drop ON sql_drop EXECUTE FUNCTION mayfly_guard.refuse_ddl();
-- session_replication_role = replica does not skip them.
ALTER EVENT TRIGGER mayfly_log_start ENABLE ALWAYS;
ALTER EVENT TRIGGER mayfly_log_end ENABLE ALWAYS;
ALTER EVENT TRIGGER mayfly_log_drop ENABLE ALWAYS;

-- Rows are not the only place to put bytes into.
REVOKE ALL ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
