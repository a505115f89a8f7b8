-- name: rows
-- Some rows of a job at a time; what was asked for them goes with the last of a bundle.
WITH gone AS (
    DELETE FROM planned_row WHERE environment = $1 AND job_id = $2 AND row IN (
        SELECT row FROM planned_row WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3)
    RETURNING row),
bundles AS (
    DELETE FROM bundle WHERE environment = $1 AND job_id = $2
        AND last_row <= (SELECT max(row) FROM gone))
SELECT count(*) FROM gone;

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

-- name: lock_jobs_of
-- The jobs that have anything about these customers still to send or to hear of. Each of their
-- steps holds this lock: what it sends is then either sent, and seen so, or not sent yet.
SELECT count(*) FROM (
    SELECT FROM upload AS u WHERE u.environment = $1 AND u.job_id IN (
        SELECT b.job_id FROM bundle AS b, json_array_elements(b.steps) AS s
        WHERE b.environment = $1 AND NOT b.ended AND s ->> 'customer_id' = ANY($2::text[]))
    ORDER BY u.job_id FOR UPDATE) AS locked;

-- name: under_way
-- Whether anything about these customers was asked and not answered yet.
SELECT EXISTS (
    SELECT FROM bundle AS b, json_array_elements(b.steps) AS s
    WHERE b.environment = $1 AND NOT b.ended AND b.sent_at IS NOT NULL
      AND s ->> 'customer_id' = ANY($2::text[]));

-- name: commands_of_customers
-- Which customer it was stays, so that an undo knows what it is about.
UPDATE bundle AS b SET before = b.before - found.places, steps = (
    SELECT json_agg(CASE WHEN (s.place - 1)::text = ANY(found.places)
        THEN (SELECT json_object_agg(f.key, f.value) FROM json_each(s.step) AS f
              WHERE f.key IN ('step', 'after', 'type', 'customer_id'))
        ELSE s.step END ORDER BY s.place)
    FROM json_array_elements(b.steps) WITH ORDINALITY AS s (step, place))
FROM (
    SELECT b.job_id, b.number, array_agg((s.place - 1)::text) AS places
    FROM bundle AS b, json_array_elements(b.steps) WITH ORDINALITY AS s (step, place)
    WHERE b.environment = $1 AND s.step ->> 'customer_id' = ANY($2::text[])
      AND s.step ->> 'type' IN ('customer.register', 'customer.change')
    GROUP BY b.job_id, b.number) AS found
WHERE b.environment = $1 AND b.job_id = found.job_id AND b.number = found.number;

-- name: things_of_customers
UPDATE undo SET given = '{}', before = '{}'
WHERE environment = $1 AND kind = 'customer' AND id = ANY($2::text[]);

-- name: steps_of_customers
UPDATE undo_step SET body = jsonb_build_object('customer_id', id)
WHERE environment = $1 AND kind = 'customer' AND id = ANY($2::text[]) AND outcome IS NOT NULL
  AND body IS NOT NULL;
