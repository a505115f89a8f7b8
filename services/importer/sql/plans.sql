-- name: forget_bundles
DELETE FROM bundle WHERE environment = $1 AND job_id = $2;

-- name: forget_rows
DELETE FROM planned_row WHERE environment = $1 AND job_id = $2;

-- name: keep_verdicts
-- Planned anew after a preview: what that said stays, to be compared with what comes of it.
UPDATE planned_row SET previewed = coalesce(previewed, verdict)
WHERE environment = $1 AND job_id = $2;

-- name: forget_customers
DELETE FROM planned_customer WHERE environment = $1 AND job_id = $2;

-- name: forget_numbers
UPDATE upload SET last_planned = NULL
WHERE environment = $1 AND job_id = $2 AND last_planned IS NOT NULL;

-- name: accounts
-- The registry's accounts by number. Key by key: of a list the planner, which knows nothing yet of
-- tables that are being filled, makes a walk through the whole environment.
SELECT a.account, a.fields, a.holder
FROM unnest($2::text[]) AS number CROSS JOIN LATERAL (
    SELECT * FROM account WHERE environment = $1 AND account = number OFFSET 0) AS a;

-- name: held
SELECT a.account, a.fields, a.holder
FROM unnest($2::uuid[]) AS who CROSS JOIN LATERAL (
    SELECT * FROM account WHERE environment = $1 AND holder = who OFFSET 0) AS a;

-- name: customers_alike
-- Who may be meant by an e-mail address or a name: looked up key by key, each in its index.
SELECT c.customer_id FROM unnest($2::text[]) AS mail
JOIN customer AS c ON c.environment = $1 AND c.email_key = mail
UNION
SELECT c.customer_id FROM unnest($3::text[]) AS name CROSS JOIN LATERAL (
    SELECT customer_id FROM customer WHERE environment = $1 AND name_key = name
    UNION ALL
    SELECT customer_id FROM customer
    WHERE environment = $1 AND other_name_key = name OFFSET 0) AS c;

-- name: customers
SELECT customer_id, fields, erased FROM customer
WHERE environment = $1 AND customer_id = ANY($2::uuid[]);

-- name: last_in_series
-- Numbers that another job has previewed are taken too.
SELECT greatest(
    0,
    (SELECT last_in_series FROM heard WHERE environment = $1),
    (SELECT max(last_planned) FROM upload WHERE environment = $1 AND last_planned IS NOT NULL));

-- name: add_rows
INSERT INTO planned_row (environment, job_id, row, verdict, problems, warnings)
SELECT $1::int, $2::uuid, * FROM unnest($3::int[], $4::text[], $5::jsonb[], $6::jsonb[])
ON CONFLICT (environment, job_id, row) DO UPDATE
SET verdict = excluded.verdict, problems = excluded.problems, warnings = excluded.warnings;

-- name: add_bundles
INSERT INTO bundle (environment, job_id, number, command_id, first_row, last_row, rows, steps,
                    before, needs, changing)
SELECT $1::int, $2::uuid, number, command_id, first_row, last_row, rows::int[], steps, before,
    needs, changing
FROM unnest($3::int[], $4::uuid[], $5::int[], $6::int[], $7::text[], $8::json[], $9::jsonb[],
            $10::jsonb[], $11::bool[])
    AS t (number, command_id, first_row, last_row, rows, steps, before, needs, changing);

-- name: add_customers
INSERT INTO planned_customer (environment, job_id, customer_id, fields)
SELECT $1::int, $2::uuid, * FROM unnest($3::uuid[], $4::jsonb[])
ON CONFLICT (environment, job_id, customer_id) DO UPDATE SET fields = excluded.fields;

-- name: verdicts
SELECT verdict, count(*) AS rows FROM planned_row
WHERE environment = $1 AND job_id = $2 GROUP BY verdict;

-- name: any_refused
SELECT EXISTS (
    SELECT FROM planned_row WHERE environment = $1 AND job_id = $2 AND verdict = 'refused');

-- name: problems
SELECT p FROM planned_row, jsonb_array_elements(problems) AS p
WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3;

-- name: problem_count
SELECT coalesce(sum(jsonb_array_length(problems)), 0)::int FROM planned_row
WHERE environment = $1 AND job_id = $2;

-- name: warnings
SELECT w FROM planned_row, jsonb_array_elements(warnings) AS w
WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3;
