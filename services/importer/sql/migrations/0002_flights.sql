-- Commands under way stand in a small table of their own, so that the large one is written once
-- when a row is planned and once more when its outcome comes, in place and without an index to
-- follow. A command's id is made from the job, row and step: it need not stand with the plan.

CREATE TABLE flight (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    row int NOT NULL,
    step int NOT NULL,
    command_id uuid NOT NULL,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (environment, job_id, row, step),
    UNIQUE (environment, command_id)
);

INSERT INTO flight (environment, job_id, row, step, command_id, sent_at)
SELECT environment, job_id, row, step, command_id, sent_at FROM command
WHERE sent_at IS NOT NULL AND outcome IS NULL;

ALTER TABLE command
    ADD after_row int,                 -- sent once that one was applied
    ADD after_step int,
    ADD CHECK ((after_row IS NULL) = (after_step IS NULL));

UPDATE command AS c SET after_row = o.row, after_step = o.step
FROM command AS o WHERE o.environment = c.environment AND o.command_id = c.after;

DROP INDEX command_unsent;
DROP INDEX command_open;
DROP INDEX command_after;

-- Rows and commands are written by steps that hold their upload's row: asking for it again, a
-- hundred thousand times, took a fifth of planning.
ALTER TABLE command
    DROP after, DROP sent_at, DROP command_id,
    DROP CONSTRAINT command_environment_job_id_row_fkey;
ALTER TABLE command SET (fillfactor = 70);
ALTER TABLE planned_row DROP CONSTRAINT planned_row_environment_job_id_fkey;
ALTER TABLE planned_customer DROP CONSTRAINT planned_customer_environment_job_id_fkey;
ALTER TABLE planned_account DROP CONSTRAINT planned_account_environment_job_id_fkey;

-- What the preview said of a row, where it was planned anew after that.
ALTER TABLE planned_row ADD previewed text
    CHECK (previewed IN ('create', 'change', 'unchanged', 'refused'));

GRANT SELECT, INSERT, UPDATE, DELETE ON flight TO importer;

-- Whom a row may be about is asked for by keys (an e-mail address, a name), hundreds at a time.
-- Arrays under a GIN index were gone through as a whole for that, which made planning quadratic.
CREATE TABLE planned_key (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    key text NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (environment, job_id, key, customer_id)
);
INSERT INTO planned_key (environment, job_id, key, customer_id)
SELECT environment, job_id, key, customer_id
FROM planned_customer, unnest(name_keys || email_key) AS key WHERE key IS NOT NULL
ON CONFLICT DO NOTHING;
DROP INDEX planned_customer_email;
DROP INDEX planned_customer_names;
ALTER TABLE planned_customer DROP email_key, DROP name_keys;

-- Looked up name by name: what waits in a pending list would be read again for each.
ALTER INDEX customer_names SET (fastupdate = off);

GRANT SELECT, INSERT, UPDATE, DELETE ON planned_key TO importer;

-- What tells one row from another comes first in each index: of two that begin alike the planner,
-- without statistics of a table that is being filled, took the one that goes through the whole job.
ALTER TABLE planned_account DROP CONSTRAINT planned_account_pkey;
ALTER TABLE planned_account ADD PRIMARY KEY (account, job_id, environment);
DROP INDEX planned_account_holder;
CREATE INDEX planned_account_holder ON planned_account (holder, job_id);
