-- What is found by its key must have but one index to be found with. An index that begins with the
-- environment alone will also do for PostgreSQL where a table is still empty: both ways cost it
-- the same then, and a plan that is kept (docs/decisions/0033) went on to read an environment's
-- every entry for each one that was asked for, until the statistics were made anew.
DROP INDEX entry_account;
CREATE INDEX entry_account ON entry (account, environment);
