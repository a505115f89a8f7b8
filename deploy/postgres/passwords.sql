-- Sets the login roles' passwords, after roles.sql. For psql 15 or later, which takes them from its
-- environment (PASSWORD_AUTHORIZER and so on), so that none stands on a command line or in a file
-- of the project. Again with the same passwords it changes nothing that anybody notices.
-- A password that is not set leaves its variable undefined, and the statement fails: nobody gets
-- an empty one. The settings keep the statements out of the server's log, whatever it logs of others.
\set ON_ERROR_STOP on
\getenv authorizer PASSWORD_AUTHORIZER
\getenv ledger PASSWORD_LEDGER
\getenv importer PASSWORD_IMPORTER
\getenv invoicer PASSWORD_INVOICER
-- Whether a transaction is sampled is settled when it begins.
SET log_transaction_sample_rate = 0;
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_error_statement = 'panic';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_duration_sample = -1;
ALTER ROLE authorizer PASSWORD :'authorizer';
ALTER ROLE ledger PASSWORD :'ledger';
ALTER ROLE importer PASSWORD :'importer';
ALTER ROLE invoicer PASSWORD :'invoicer';
COMMIT;
