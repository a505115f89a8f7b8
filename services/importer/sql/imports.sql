-- name: cascade
-- What builds on a refused command is refused with it, and not sent.
UPDATE command AS c SET outcome = 'refused', message = replace($3, '{other}', o.row::text)
FROM command AS o
WHERE c.environment = $1 AND c.job_id = $2 AND c.outcome IS NULL AND c.sent_at IS NULL
  AND o.environment = $1 AND o.command_id = c.after AND o.outcome = 'refused'
RETURNING c.row;

-- name: drop_unsent
UPDATE command SET outcome = 'refused', message = $3
WHERE environment = $1 AND job_id = $2 AND outcome IS NULL AND sent_at IS NULL;

-- name: open
SELECT count(*) AS open, count(*) FILTER (WHERE sent_at IS NOT NULL) AS in_flight,
    count(DISTINCT row) AS rows
FROM command WHERE environment = $1 AND job_id = $2 AND outcome IS NULL;

-- name: due
-- The next commands whose time has come, in the order of rows.
SELECT n.row, n.step, n.command_id, n.type, n.body FROM command AS n
WHERE n.environment = $1 AND n.job_id = $2 AND n.outcome IS NULL AND n.sent_at IS NULL
  AND (n.after IS NULL OR EXISTS (
        SELECT FROM command AS o
        WHERE o.environment = $1 AND o.command_id = n.after AND o.outcome = 'applied'))
ORDER BY n.row, n.step LIMIT $3;

-- name: overdue
-- No outcome came: the same command with the same id is asked once more.
SELECT row, step, command_id, type, body FROM command
WHERE environment = $1 AND job_id = $2 AND outcome IS NULL AND sent_at < $4
ORDER BY row, step LIMIT $3;

-- name: mark_sent
-- By their ids, not by a join with what is due: whatever the planner thinks of a table that has
-- just been filled, this finds each row by its unique key.
UPDATE command SET sent_at = $3 WHERE environment = $1 AND command_id = ANY($2::uuid[]);

-- name: results
-- Each row's outcome: refused where any command was, else the most that any of them did. LATERAL,
-- so that a row's commands are found by its key, however little the planner knows of the tables.
SELECT p.row, p.problems, p.warnings, d.message, d.accounts, coalesce(d.partly, false) AS partly,
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
    count(*) FILTER (WHERE p.verdict = 'refused' OR d.refused) AS refused,
    count(*) FILTER (WHERE p.verdict <> 'refused' AND NOT coalesce(d.refused, false)
                       AND d.created) AS created,
    count(*) FILTER (WHERE p.verdict <> 'refused' AND NOT coalesce(d.refused, false)
                       AND NOT coalesce(d.created, false) AND d.changed) AS changed
FROM planned_row AS p LEFT JOIN LATERAL (
    SELECT bool_or(outcome = 'refused') AS refused, bool_or(effect = 'created') AS created,
        bool_or(effect = 'changed') AS changed
    FROM command AS c WHERE c.environment = $1 AND c.job_id = $2 AND c.row = p.row) AS d ON true
WHERE p.environment = $1 AND p.job_id = $2;

-- name: last_row
SELECT coalesce(max(row), 0) FROM planned_row WHERE environment = $1 AND job_id = $2;

-- name: unheard
-- Things that this job made and that registry.state has not told of yet.
SELECT count(*) FROM command AS c
WHERE c.environment = $1 AND c.job_id = $2 AND c.outcome = 'applied' AND (
    c.type = 'account.open' AND NOT EXISTS (
        SELECT FROM account AS a WHERE a.environment = $1 AND a.account = c.body ->> 'account')
    OR c.type = 'customer.register' AND NOT EXISTS (
        SELECT FROM customer AS k
        WHERE k.environment = $1 AND k.customer_id = (c.body ->> 'customer_id')::uuid));
