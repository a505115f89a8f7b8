-- name: in_flight
SELECT count(*) FROM flight WHERE environment = $1 AND job_id = $2;

-- name: waiting
-- Commands that were neither sent nor refused, in the order of rows from row $3 on, with what
-- became of the one that each builds on. LATERAL and OFFSET 0, so that it is found by its key, and
-- NOT IN, which is looked up in a hash, however little the planner knows of the tables.
SELECT n.row, n.step, n.type, n.body, n.after_row, o.outcome AS after_outcome
FROM command AS n LEFT JOIN LATERAL (
    SELECT outcome FROM command AS c
    WHERE c.environment = $1 AND c.job_id = $2 AND c.row = n.after_row AND c.step = n.after_step
    OFFSET 0) AS o ON true
WHERE n.environment = $1 AND n.job_id = $2 AND n.row >= $3 AND n.outcome IS NULL
  AND (n.row, n.step) NOT IN (
        SELECT f.row, f.step FROM flight AS f WHERE f.environment = $1 AND f.job_id = $2)
ORDER BY n.row, n.step LIMIT $4;

-- name: refuse
-- What builds on a refused command is refused with it, and not sent.
UPDATE command AS c SET outcome = 'refused', message = t.message
FROM unnest($3::int[], $4::int[], $5::text[]) AS t (row, step, message)
WHERE c.environment = $1 AND c.job_id = $2 AND c.row = t.row AND c.step = t.step;

-- name: drop_unsent
UPDATE command AS c SET outcome = 'refused', message = $3
WHERE c.environment = $1 AND c.job_id = $2 AND c.outcome IS NULL AND (c.row, c.step) NOT IN (
    SELECT f.row, f.step FROM flight AS f WHERE f.environment = $1 AND f.job_id = $2);

-- name: depart
INSERT INTO flight (environment, job_id, row, step, command_id, sent_at)
SELECT $1, $2, row, step, command_id, $6
FROM unnest($3::int[], $4::int[], $5::uuid[]) AS t (row, step, command_id);

-- name: overdue
-- No outcome came: the same command with the same id is asked once more.
WITH late AS (
    SELECT row, step FROM flight
    WHERE environment = $1 AND job_id = $2 AND sent_at < $3 ORDER BY row, step LIMIT $5),
again AS (
    UPDATE flight SET sent_at = $4
    WHERE environment = $1 AND job_id = $2 AND (row, step) IN (SELECT row, step FROM late))
SELECT c.row, c.step, c.type, c.body FROM late AS l CROSS JOIN LATERAL (
    SELECT row, step, type, body FROM command
    WHERE environment = $1 AND job_id = $2 AND row = l.row AND step = l.step OFFSET 0) AS c;

-- name: done
-- Rows up to which everything has its outcome: those before the first that is open.
SELECT count(*) FROM planned_row
WHERE environment = $1 AND job_id = $2 AND row < least($3, coalesce(
    (SELECT min(row) FROM flight WHERE environment = $1 AND job_id = $2), $3));

-- name: results
-- Each row's outcome: refused where any command was, else the most that any of them did. LATERAL,
-- so that a row's commands are found by its key, however little the planner knows of the tables.
SELECT p.row, p.problems, p.warnings, d.message, d.accounts, coalesce(d.partly, false) AS partly,
    p.previewed,
    CASE WHEN p.verdict = 'refused' OR d.refused THEN 'refused'
         WHEN d.created THEN 'created'
         WHEN d.changed THEN 'changed'
         ELSE 'unchanged' END AS result
FROM planned_row AS p LEFT JOIN LATERAL (
    SELECT bool_or(outcome = 'refused') AS refused,
        bool_or(outcome = 'applied' AND effect <> 'unchanged') AS partly,
        bool_or(effect = 'created') AS created, bool_or(effect = 'changed') AS changed,
        string_agg(DISTINCT message, '; ') FILTER (WHERE message IS NOT NULL) AS message,
        jsonb_agg(body ->> 'account' ORDER BY step)
            FILTER (WHERE type = 'account.open' AND outcome = 'applied') AS accounts
    FROM command AS c WHERE c.environment = $1 AND c.job_id = $2 AND c.row = p.row) AS d ON true
WHERE p.environment = $1 AND p.job_id = $2 AND p.row > $3 AND p.row <= $4
ORDER BY p.row;

-- name: totals
SELECT count(*) AS rows,
    count(*) FILTER (WHERE result = 'refused') AS refused,
    count(*) FILTER (WHERE result = 'created') AS created,
    count(*) FILTER (WHERE result = 'changed') AS changed,
    count(*) FILTER (WHERE result <> CASE previewed WHEN 'create' THEN 'created'
        WHEN 'change' THEN 'changed' ELSE previewed END) AS differs
FROM (
    SELECT p.previewed,
        CASE WHEN p.verdict = 'refused' OR d.refused THEN 'refused'
             WHEN d.created THEN 'created'
             WHEN d.changed THEN 'changed'
             ELSE 'unchanged' END AS result
    FROM planned_row AS p LEFT JOIN LATERAL (
        SELECT bool_or(outcome = 'refused') AS refused, bool_or(effect = 'created') AS created,
            bool_or(effect = 'changed') AS changed
        FROM command AS c
        WHERE c.environment = $1 AND c.job_id = $2 AND c.row = p.row) AS d ON true
    WHERE p.environment = $1 AND p.job_id = $2) AS r;

-- name: last_row
SELECT coalesce(max(row), 0) FROM planned_row WHERE environment = $1 AND job_id = $2;

-- name: unheard
-- Whether registry.state has yet to tell of anything that this job made.
SELECT EXISTS (SELECT FROM command AS c
WHERE c.environment = $1 AND c.job_id = $2 AND c.outcome = 'applied' AND (
    c.type = 'account.open' AND NOT EXISTS (
        SELECT FROM account AS a WHERE a.environment = $1 AND a.account = c.body ->> 'account')
    OR c.type = 'customer.register' AND NOT EXISTS (
        SELECT FROM customer AS k
        WHERE k.environment = $1 AND k.customer_id = (c.body ->> 'customer_id')::uuid)));
