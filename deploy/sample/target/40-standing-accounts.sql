-- Two accounts as grown systems have them: rights that no task explains and that never end. They are here for
-- `mayfly standing-access` to find. They have no password, so nobody can log in with them.

DO $roles$
DECLARE
  account text;
BEGIN
  FOREACH account IN ARRAY ARRAY['legacy_etl', 'report_bot'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = account) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', account);
    END IF;
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), account);
  END LOOP;
END
$roles$;

GRANT USAGE ON SCHEMA crm, hr TO legacy_etl;
GRANT SELECT ON ALL TABLES IN SCHEMA crm, hr TO legacy_etl;
GRANT INSERT, UPDATE, DELETE ON crm.orders TO legacy_etl;
DROP POLICY IF EXISTS customers_etl ON crm.customers;
CREATE POLICY customers_etl ON crm.customers FOR SELECT TO legacy_etl USING (true);

GRANT USAGE ON SCHEMA crm TO report_bot;
GRANT SELECT ON crm.orders TO report_bot;
