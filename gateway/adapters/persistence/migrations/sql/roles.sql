-- The roles of the gateway. This is the only part of a migration that needs CREATEROLE; a database administrator can
-- run it by hand beforehand, as the role that will migrate. It may run any number of times.
--
-- Roles belong to the server, not to one database: two databases of one server may migrate at the same moment. So each
-- statement runs only where something is missing, and a collision with the other migration starts the block again.
--
-- No role has a password here. Where the server asks for one:  ALTER ROLE gateway_app PASSWORD '...';
DO $roles$
DECLARE
  wanted record;
  tries int := 0;
BEGIN
  LOOP
    BEGIN
      FOR wanted IN SELECT * FROM (VALUES ('gateway_owner', false), ('ledger_owner', false),
          ('gateway_app', true), ('gateway_worker', true), ('gateway_operator', true), ('gateway_read', true)) AS r (name, logs_in)
      LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted.name) THEN
          EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', wanted.name,
                         CASE WHEN wanted.logs_in THEN 'LOGIN' ELSE 'NOLOGIN' END);
        END IF;
      END LOOP;

      -- A queue behind one busy balance must not take every connection, so a wait for a lock ends soon.
      FOR wanted IN SELECT * FROM (VALUES
          ('gateway_app', 'lock_timeout', '2s'), ('gateway_app', 'statement_timeout', '10s'),
          ('gateway_app', 'idle_in_transaction_session_timeout', '30s'),
          ('gateway_worker', 'lock_timeout', '2s'), ('gateway_worker', 'statement_timeout', '30s'),
          ('gateway_worker', 'idle_in_transaction_session_timeout', '60s'),
          ('gateway_operator', 'lock_timeout', '5s'), ('gateway_operator', 'statement_timeout', '15min'),
          ('gateway_read', 'lock_timeout', '2s'), ('gateway_read', 'statement_timeout', '60s'),
          ('gateway_read', 'default_transaction_read_only', 'on')) AS s (name, setting, value)
      LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole,
                       unnest(s.setconfig) AS c (entry)
                       WHERE r.rolname = wanted.name AND s.setdatabase = 0 AND c.entry LIKE wanted.setting || '=%') THEN
          EXECUTE format('ALTER ROLE %I SET %s = %L', wanted.name, wanted.setting, wanted.value);
        END IF;
      END LOOP;

      -- The migrating role must be able to act as both owners; a superuser can already.
      FOR wanted IN SELECT * FROM (VALUES ('gateway_owner'), ('ledger_owner')) AS o (name)
      LOOP
        IF NOT pg_catalog.pg_has_role(current_user, wanted.name, 'USAGE') THEN
          EXECUTE format('GRANT %I TO CURRENT_USER', wanted.name);
        END IF;
      END LOOP;
      EXIT;
    EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error OR deadlock_detected THEN
      tries := tries + 1;
      IF tries >= 20 THEN RAISE; END IF;
      PERFORM pg_catalog.pg_sleep(0.05 * tries);
    END;
  END LOOP;
END
$roles$;
