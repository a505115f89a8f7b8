-- name: forget_commands
DELETE FROM command WHERE environment = $1 AND job_id = $2;

-- name: forget_rows
DELETE FROM planned_row WHERE environment = $1 AND job_id = $2;

-- name: forget_customers
DELETE FROM planned_customer WHERE environment = $1 AND job_id = $2;

-- name: forget_accounts
DELETE FROM planned_account WHERE environment = $1 AND job_id = $2;

-- name: accounts
-- The registry's accounts by number or holder, and what this job makes of them (planned).
SELECT false AS planned, account, fields, holder, NULL::int AS row FROM account
WHERE environment = $1 AND (account = ANY($3::text[]) OR holder = ANY($4::uuid[]))
UNION ALL
SELECT true, account, fields, holder, row FROM planned_account
WHERE environment = $1 AND job_id = $2
  AND (account = ANY($3::text[]) OR holder = ANY($4::uuid[]))
ORDER BY planned;

-- name: customers_alike
-- Who may be meant by an e-mail address or a name.
SELECT customer_id FROM customer
WHERE environment = $1 AND NOT erased
  AND (email_key = ANY($3::text[]) OR name_keys && $4::text[])
UNION
SELECT customer_id FROM planned_customer
WHERE environment = $1 AND job_id = $2
  AND (email_key = ANY($3::text[]) OR name_keys && $4::text[]);

-- name: customers
SELECT false AS planned, customer_id, fields, NULL::int AS made_by, '{}'::jsonb AS said_by
FROM customer WHERE environment = $1 AND NOT erased AND customer_id = ANY($3::uuid[])
UNION ALL
SELECT true, customer_id, fields, made_by, said_by FROM planned_customer
WHERE environment = $1 AND job_id = $2 AND customer_id = ANY($3::uuid[])
ORDER BY planned;

-- name: last_in_series
-- Numbers that another job has previewed are taken too.
SELECT greatest(
    (SELECT coalesce(max(series), 0) FROM account WHERE environment = $1),
    (SELECT coalesce(max(series), 0) FROM planned_account WHERE environment = $1));

-- name: add_rows
INSERT INTO planned_row (environment, job_id, row, verdict, problems, warnings)
SELECT $1::int, $2::uuid, * FROM unnest($3::int[], $4::text[], $5::jsonb[], $6::jsonb[]);

-- name: add_commands
INSERT INTO command (environment, job_id, row, step, command_id, type, body, before, after)
SELECT $1::int, $2::uuid, * FROM unnest($3::int[], $4::int[], $5::uuid[], $6::text[], $7::jsonb[],
                             $8::jsonb[], $9::uuid[]);

-- name: add_customers
INSERT INTO planned_customer AS p
    (environment, job_id, customer_id, made_by, fields, said_by, email_key, name_keys)
SELECT $1::int, $2::uuid, customer_id, made_by, fields, said_by, email_key,
    ARRAY(SELECT jsonb_array_elements_text(name_keys))
FROM unnest($3::uuid[], $4::int[], $5::jsonb[], $6::jsonb[], $7::text[], $8::jsonb[])
    AS t (customer_id, made_by, fields, said_by, email_key, name_keys)
ON CONFLICT (environment, job_id, customer_id) DO UPDATE
SET fields = excluded.fields, said_by = excluded.said_by, email_key = excluded.email_key,
    name_keys = excluded.name_keys;

-- name: add_accounts
INSERT INTO planned_account AS p (environment, job_id, account, row, fields, holder, series)
SELECT $1::int, $2::uuid, * FROM unnest($3::text[], $4::int[], $5::jsonb[], $6::uuid[], $7::bigint[])
ON CONFLICT (environment, job_id, account) DO UPDATE
SET row = excluded.row, fields = excluded.fields, holder = excluded.holder;

-- name: verdicts
SELECT verdict, count(*) AS rows FROM planned_row
WHERE environment = $1 AND job_id = $2 GROUP BY verdict;

-- name: problems
SELECT p FROM planned_row, jsonb_array_elements(problems) AS p
WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3;

-- name: problem_count
SELECT coalesce(sum(jsonb_array_length(problems)), 0)::int FROM planned_row
WHERE environment = $1 AND job_id = $2;

-- name: warnings
SELECT w FROM planned_row, jsonb_array_elements(warnings) AS w
WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3;
