-- Policy roles: the rights an agent can be lent, one NOLOGIN role for each (dataset, action). A lease makes its principal
-- a member; no agent is ever granted a table directly.

DO $roles$
DECLARE
  policy_role text;
  issuers CONSTANT text := (SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles WHERE rolname ~ '^mayfly_issuer(_[0-9]+)?$');
BEGIN
  FOREACH policy_role IN ARRAY ARRAY['pol_crm_orders_read', 'pol_crm_orders_write', 'pol_crm_customers_read', 'pol_hr_salaries_read'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = policy_role) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', policy_role);
    END IF;
    EXECUTE format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', policy_role);
    -- The creators may pass the role on. They can neither use it (INHERIT) nor become it (SET).
    EXECUTE format('GRANT %I TO %s WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', policy_role, issuers);
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), policy_role);
  END LOOP;
  -- Nobody connects anywhere in this cluster by being nobody in particular.
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$roles$;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;

GRANT USAGE ON SCHEMA crm TO pol_crm_orders_read, pol_crm_orders_write, pol_crm_customers_read;
GRANT USAGE ON SCHEMA hr TO pol_hr_salaries_read;

GRANT SELECT ON crm.orders, crm.products TO pol_crm_orders_read;
-- SELECT too: an UPDATE with a WHERE reads the rows it changes.
GRANT SELECT, INSERT, UPDATE ON crm.orders TO pol_crm_orders_write;
GRANT SELECT ON crm.products TO pol_crm_orders_write;
GRANT SELECT ON crm.customers TO pol_crm_customers_read;
GRANT SELECT ON hr.salaries, hr.employees TO pol_hr_salaries_read;

-- Whoever reads customers through Mayfly sees the EU's.
ALTER TABLE crm.customers ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS customers_eu ON crm.customers;
CREATE POLICY customers_eu ON crm.customers FOR SELECT TO pol_crm_customers_read USING (region = 'EU');
