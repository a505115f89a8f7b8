-- What is found by its key must have but one index to be found with. An index that begins with the
-- environment alone will also do for PostgreSQL where a table is still empty: both ways cost it
-- the same then, and a plan that is kept (docs/decisions/0033) reads an environment's every row
-- for each one that is asked for, until the statistics are made anew.
ALTER TABLE cancellation DROP CONSTRAINT cancellation_pkey;
ALTER TABLE cancellation ADD PRIMARY KEY (cancellation_id, environment);
DROP INDEX cancellation_sale;
CREATE INDEX cancellation_sale ON cancellation (sale_id, environment);
-- The list of what is open is read from its topic.
DROP INDEX unbooked_open;
