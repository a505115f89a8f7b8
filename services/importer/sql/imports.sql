-- name: under_way
-- How many steps were sent and have no outcome, and the bundles that were sent before $3.
SELECT coalesce(sum(cardinality(rows)), 0) AS steps,
    coalesce((array_agg(number ORDER BY number) FILTER (WHERE sent_at < $3))[:$4], '{}') AS late
FROM bundle
WHERE environment = $1 AND job_id = $2 AND NOT ended AND sent_at IS NOT NULL;

-- name: waiting
-- Bundles that were not sent, in the order of rows.
SELECT number, command_id, rows, steps, needs, results FROM bundle
WHERE environment = $1 AND job_id = $2 AND sent_at IS NULL AND NOT ended
ORDER BY number LIMIT $3;

-- name: needed
SELECT number, rows, ended, results FROM bundle
WHERE environment = $1 AND job_id = $2 AND number = ANY ($3::int[]);

-- name: depart
-- Some of a bundle's steps may be refused unsent; where all are, it has ended.
UPDATE bundle AS b SET sent_at = $6, results = t.results, ended = t.ended
FROM unnest($3::int[], $4::jsonb[], $5::bool[]) AS t (number, results, ended)
WHERE b.environment = $1 AND b.job_id = $2 AND b.number = t.number;

-- name: drop_unsent
UPDATE bundle SET ended = true, results = (
    SELECT jsonb_object_agg(place - 1, jsonb_build_array('refused', $3::text))
    FROM generate_subscripts(rows, 1) AS place)
WHERE environment = $1 AND job_id = $2 AND NOT ended AND sent_at IS NULL;

-- name: ask_again
-- No outcome came: the same command with the same id is asked once more.
UPDATE bundle SET sent_at = $4
WHERE environment = $1 AND job_id = $2 AND number = ANY ($3::int[])
RETURNING number, command_id, rows, steps, needs, results;

-- name: done
-- Up to which row everything has its outcome, and how many there are from row $3 to there.
SELECT o.row AS until, (
    SELECT count(*) FROM planned_row AS p
    WHERE p.environment = $1 AND p.job_id = $2 AND p.row >= $3 AND p.row < o.row) AS rows
FROM (
    SELECT coalesce(min(first_row), 2000000) AS row FROM bundle
    WHERE environment = $1 AND job_id = $2 AND NOT ended) AS o;

-- name: results
-- Each row's outcome: refused where any of its steps was, or was sent and has no outcome, where the job
-- was given up; else the most that any of them did. What is
-- long is made whole once a bundle (|| '{}'), or it would be unpacked again for each of its steps.
WITH steps AS (
    SELECT s.row, bool_or(r.did = 'refused') AS refused,
        bool_or(b.sent_at IS NOT NULL AND NOT b.ended AND r.did IS NULL) AS unheard,
        bool_or(b.ended AND r.did IN ('created', 'changed')) AS partly,
        bool_or(r.did = 'created') AS created, bool_or(r.did = 'changed') AS changed,
        string_agg(DISTINCT r.says, '; ') FILTER (WHERE r.says IS NOT NULL) AS message,
        jsonb_agg(s.account ORDER BY b.number, s.place)
            FILTER (WHERE s.type = 'account.open' AND b.ended
                    AND r.did IS DISTINCT FROM 'refused') AS accounts
    FROM (
        SELECT number, ended, sent_at, steps, rows, results || '{}' AS results FROM bundle
        WHERE environment = $1 AND job_id = $2 AND last_row > $3 AND first_row <= $4
        OFFSET 0) AS b
    CROSS JOIN LATERAL ROWS FROM (
        json_to_recordset(b.steps) AS (type text, account text), unnest(b.rows)) WITH ORDINALITY
        AS s (type, account, row, place)
    CROSS JOIN LATERAL (
        SELECT result ->> 0 AS did, result ->> 1 AS says
        FROM (SELECT b.results -> (s.place - 1)::text AS result) AS each) AS r
    GROUP BY s.row)
SELECT p.row, p.problems, p.warnings, d.message, d.accounts, coalesce(d.partly, false) AS partly,
    coalesce(d.unheard, false) AS unheard, p.previewed,
    CASE WHEN p.verdict = 'refused' OR d.refused OR d.unheard THEN 'refused'
         WHEN d.created THEN 'created'
         WHEN d.changed THEN 'changed'
         ELSE 'unchanged' END AS result
FROM planned_row AS p LEFT JOIN steps AS d ON d.row = p.row
WHERE p.environment = $1 AND p.job_id = $2 AND p.row > $3 AND p.row <= $4
ORDER BY p.row;

-- name: totals
-- Mostly each step of a bundle made something: then its results need not be unpacked. What was sent and
-- has no outcome counts as refused.
WITH whole AS (
    SELECT rows, results, sent_at IS NOT NULL AND NOT ended AS unheard,
        ended AND cardinality(made_customers) + cardinality(made_accounts) = cardinality(rows)
            AS made
    FROM bundle
    WHERE environment = $1 AND job_id = $2
), steps AS (
    SELECT row, bool_or(did = 'refused') AS refused, bool_or(did = 'created') AS created,
        bool_or(did = 'changed') AS changed
    FROM (
        SELECT unnest(rows) AS row, 'created' AS did FROM whole WHERE made
        UNION ALL
        SELECT unnest(rows), 'refused' FROM whole WHERE unheard
        UNION ALL
        SELECT w.rows[r.place::int + 1], r.result ->> 0
        FROM whole AS w CROSS JOIN LATERAL jsonb_each(w.results) AS r (place, result)
        WHERE NOT w.made) AS each
    GROUP BY row)
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
    FROM planned_row AS p LEFT JOIN steps AS d ON d.row = p.row
    WHERE p.environment = $1 AND p.job_id = $2) AS r;

-- name: last_row
SELECT coalesce(max(row), 0) FROM planned_row WHERE environment = $1 AND job_id = $2;

-- name: hear
-- Bundles of which registry.state has told all that they made. Looked up key by key (OFFSET 0): of
-- tables that are being filled the planner thinks that they are empty, and compared each with each.
-- What was made last is told last, mostly: while that is missing the rest is not looked up.
UPDATE bundle AS b SET heard = true
WHERE environment = $1 AND job_id = $2 AND ended AND NOT heard
  AND CASE WHEN cardinality(b.made_accounts) = 0 OR EXISTS (
        SELECT FROM account AS a
        WHERE a.environment = $1 AND a.account = b.made_accounts[cardinality(b.made_accounts)]
        OFFSET 0)
    THEN NOT EXISTS (
        SELECT FROM unnest(b.made_accounts) AS number WHERE NOT EXISTS (
            SELECT FROM account AS a WHERE a.environment = $1 AND a.account = number OFFSET 0))
      AND NOT EXISTS (
        SELECT FROM unnest(b.made_customers) AS who WHERE NOT EXISTS (
            SELECT FROM customer AS k WHERE k.environment = $1 AND k.customer_id = who OFFSET 0))
    ELSE false END;

-- name: unheard
SELECT EXISTS (SELECT FROM bundle WHERE environment = $1 AND job_id = $2 AND ended AND NOT heard);
