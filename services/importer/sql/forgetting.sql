-- name: rows
-- Some rows of a job at a time, by the last of them; what was asked for them goes with the last of a
-- bundle. As a list of rows to be found among them the planner compared each with each, where nobody
-- had counted yet how many the job has.
WITH gone AS (
    DELETE FROM planned_row WHERE environment = $1 AND job_id = $2 AND row <= (
        SELECT max(row) FROM (
            SELECT row FROM planned_row
            WHERE environment = $1 AND job_id = $2 ORDER BY row LIMIT $3) AS first)
    RETURNING row),
bundles AS (
    DELETE FROM bundle WHERE environment = $1 AND job_id = $2
        AND last_row <= (SELECT max(row) FROM gone))
SELECT count(*) FROM gone;

-- name: steps
-- Of an undo, some at a time too: for each thing the database looks whether it has steps.
WITH gone AS (
    DELETE FROM undo_step WHERE environment = $1 AND job_id = $2 AND (kind, id) <= (
        SELECT kind, id FROM (
            SELECT kind, id FROM undo_step
            WHERE environment = $1 AND job_id = $2 ORDER BY kind, id LIMIT $3) AS first
        ORDER BY kind DESC, id DESC LIMIT 1)
    RETURNING id)
SELECT count(*) FROM gone;

-- name: things
WITH gone AS (
    DELETE FROM undo WHERE environment = $1 AND job_id = $2 AND (kind, id) <= (
        SELECT kind, id FROM (
            SELECT kind, id FROM undo
            WHERE environment = $1 AND job_id = $2 ORDER BY kind, id LIMIT $3) AS first
        ORDER BY kind DESC, id DESC LIMIT 1)
    RETURNING id)
SELECT count(*) FROM gone;

-- name: preview
-- Its samples and problems are people's data. What else was said of the job are counts.
DELETE FROM said WHERE environment = $1 AND job_id = $2 AND ce_type = 'import.previewed';

-- name: previews
-- Of all jobs but those that wait to be confirmed: samples show whoever stands in the first rows, and a
-- row of who was known already asks nothing about him, so that nobody finds his job by it.
DELETE FROM said AS s USING upload AS u
WHERE s.environment = $1 AND s.ce_type = 'import.previewed'
  AND (u.environment, u.job_id) = (s.environment, s.job_id) AND u.status <> 'previewed';

-- name: forgotten
UPDATE upload SET forgotten = true WHERE environment = $1 AND job_id = $2;

-- name: bundles_of_customers
-- Which bundles ask anything about these customers, and for which rows. All bundles are read for it,
-- once: that takes longer than all else that is done about an erased customer.
SELECT b.job_id, b.number, array_agg(DISTINCT b.rows[s.place]) AS rows
FROM bundle AS b CROSS JOIN LATERAL json_array_elements(b.steps) WITH ORDINALITY AS s (step, place)
WHERE b.environment = $1 AND s.step ->> 'customer_id' = ANY($2::text[])
GROUP BY b.job_id, b.number;

-- name: warnings_of_rows
-- By what was found before. Joined with the steps the planner looked through all of them for each row
-- of a job that has a warning: a minute of it was not enough for a list of 20,000.
UPDATE planned_row SET warnings = '[]', problems = '[]'
WHERE environment = $1 AND job_id = $2 AND row = ANY($3::int[])
  AND (warnings <> '[]' OR problems <> '[]');

-- name: planning
-- Whether rows of this environment are being planned, by what was read before somebody was erased. Who
-- begins now reads it anew.
SELECT EXISTS (
    SELECT FROM job
    WHERE state = 'open' AND leased_until > now() AND payload ->> 'environment' = $1::int::text
      AND (kind IN ('plan', 'plan-large') OR (kind = 'import' AND NOT payload ? 'begun')));

-- name: lock_jobs_of
-- The jobs that have anything about these customers still to send or to hear of, and those that are
-- being taken back, which still gather what they did. Each of their steps holds this lock: what it
-- sends is then either sent, and seen so, or not sent yet.
SELECT count(*) FROM (
    SELECT FROM upload AS u WHERE u.environment = $1 AND (
        u.job_id IN (
            SELECT b.job_id FROM bundle AS b, json_array_elements(b.steps) AS s
            WHERE b.environment = $1 AND NOT b.ended AND s ->> 'customer_id' = ANY($2::text[]))
        OR (u.undo_at IS NOT NULL AND u.status <> 'undone'))
    ORDER BY u.job_id FOR UPDATE) AS locked;

-- name: under_way
-- Whether anything about these customers was asked and not answered yet. An undo that was given up
-- asks nothing again.
SELECT EXISTS (
    SELECT FROM bundle AS b, json_array_elements(b.steps) AS s
    WHERE b.environment = $1 AND NOT b.ended AND b.sent_at IS NOT NULL
      AND s ->> 'customer_id' = ANY($2::text[]))
  OR EXISTS (
    SELECT FROM undo_step AS s JOIN upload AS u USING (environment, job_id)
    WHERE s.environment = $1 AND s.kind = 'customer' AND s.id = ANY($2::text[])
      AND s.command_id IS NOT NULL AND s.outcome IS NULL AND s.sent_at IS NOT NULL
      AND u.undo_at IS NOT NULL AND u.status <> 'undone');

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
    FROM unnest($3::uuid[], $4::int[]) AS k (job_id, number)
    CROSS JOIN LATERAL (
        SELECT * FROM bundle
        WHERE environment = $1 AND job_id = k.job_id AND number = k.number OFFSET 0) AS b,
        json_array_elements(b.steps) WITH ORDINALITY AS s (step, place)
    WHERE s.step ->> 'customer_id' = ANY($2::text[])
      AND s.step ->> 'type' IN ('customer.register', 'customer.change')
    GROUP BY b.job_id, b.number) AS found
WHERE b.environment = $1 AND b.job_id = found.job_id AND b.number = found.number;

-- name: planned_of_customers
DELETE FROM planned_customer WHERE environment = $1 AND customer_id = ANY($2::text[]::uuid[]);

-- name: things_of_customers
UPDATE undo SET given = '{}', before = '{}'
WHERE environment = $1 AND kind = 'customer' AND id = ANY($2::text[]);

-- name: steps_of_customers
UPDATE undo_step SET body = jsonb_build_object('customer_id', id)
WHERE environment = $1 AND kind = 'customer' AND id = ANY($2::text[]) AND body IS NOT NULL;
