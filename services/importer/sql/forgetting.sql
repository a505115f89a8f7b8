-- name: rows
-- Some rows of a job at a time; the commands of a row go with it.
WITH gone AS (
    DELETE FROM planned_row WHERE environment = $1 AND job_id = $2 AND row IN (
        SELECT row FROM planned_row WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3)
    RETURNING row),
commands AS (
    DELETE FROM command AS c USING gone
    WHERE c.environment = $1 AND c.job_id = $2 AND c.row = gone.row)
SELECT count(*) FROM gone;

-- name: flights
DELETE FROM flight WHERE environment = $1 AND job_id = $2;

-- name: steps
DELETE FROM undo_step WHERE environment = $1 AND job_id = $2;

-- name: things
DELETE FROM undo WHERE environment = $1 AND job_id = $2;

-- name: preview
-- Its samples and problems are people's data. What else was said of the job are counts.
DELETE FROM said WHERE environment = $1 AND job_id = $2 AND ce_type = 'import.previewed';

-- name: forgotten
UPDATE upload SET forgotten = true WHERE environment = $1 AND job_id = $2;

-- name: jobs_of_customers
SELECT DISTINCT job_id FROM command
WHERE environment = $1 AND body ->> 'customer_id' = ANY($2::text[]);

-- name: warnings_of_customers
UPDATE planned_row AS p SET warnings = '[]', problems = '[]'
FROM command AS c
WHERE p.environment = $1 AND c.environment = $1 AND c.job_id = p.job_id AND c.row = p.row
  AND c.body ->> 'customer_id' = ANY($2::text[])
  AND (p.warnings <> '[]' OR p.problems <> '[]');

-- name: commands_of_customers
-- Which customer it was stays, so that an undo knows what it is about.
UPDATE command SET body = jsonb_build_object('customer_id', body -> 'customer_id'), before = '{}'
WHERE environment = $1 AND body ->> 'customer_id' = ANY($2::text[])
  AND type IN ('customer.register', 'customer.change');

-- name: things_of_customers
UPDATE undo SET given = '{}', before = '{}'
WHERE environment = $1 AND kind = 'customer' AND id = ANY($2::text[]);

-- name: steps_of_customers
UPDATE undo_step SET body = jsonb_build_object('customer_id', id)
WHERE environment = $1 AND kind = 'customer' AND id = ANY($2::text[]) AND outcome IS NOT NULL
  AND body IS NOT NULL;
