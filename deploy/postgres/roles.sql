-- Who may do what in the database: run by a superuser in the (one) database, as often as one likes.
--
-- Each service has a schema and two roles of its own. SERVICE_owner owns the schema and all that
-- migrations make in it; nobody logs in as it. SERVICE logs in and works: it may use the schema,
-- and otherwise only what a migration grants it. Nobody sees another service's schema.
-- Passwords are not set here: the local stack makes random ones, a cluster gives its own
-- (ALTER ROLE authorizer PASSWORD ...).

DO $roles$
DECLARE
    service text;
    owner text;
BEGIN
    -- Two that run this at the same time (two databases of one cluster): one after the other.
    PERFORM pg_advisory_xact_lock(hashtext('onaccount roles'));
    FOREACH service IN ARRAY ARRAY['authorizer', 'ledger', 'importer', 'invoicer'] LOOP
        owner := service || '_owner';
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = owner) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', owner);
        END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', service);
        END IF;
        -- Unqualified names are the service's own: no schema stands in a statement.
        EXECUTE format('ALTER ROLE %I SET search_path = %I', owner, service);
        EXECUTE format('ALTER ROLE %I SET search_path = %I', service, service);
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, owner);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', service);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, service);
        -- Of a statement that fails the server's log would quote the row, which may be a guest's,
        -- and the statement, which is long: a worker that loses a race fails many a day.
        BEGIN
            EXECUTE format('ALTER ROLE %I SET log_error_verbosity = terse', service);
            EXECUTE format('ALTER ROLE %I SET log_min_error_statement = panic', service);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'no superuser: set log_error_verbosity and log_min_error_statement for %',
                service;
        END;
    END LOOP;
END
$roles$;

-- By default everyone may connect, make temporary tables and see the schema public.
DO $database$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO authorizer, ledger, importer, invoicer',
        current_database()
    );
END
$database$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
