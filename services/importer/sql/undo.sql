-- name: ask
UPDATE upload SET undo_by = $3, undo_at = $4
WHERE environment = $1 AND job_id = $2 AND undo_by IS NULL;

-- name: give_up
UPDATE upload SET undo_by = NULL, undo_at = NULL WHERE environment = $1 AND job_id = $2;

-- name: anything
-- Whether the job had any effect that could be taken back.
SELECT EXISTS (SELECT FROM command
    WHERE environment = $1 AND job_id = $2 AND effect IN ('created', 'changed'));

-- name: last_bundle
SELECT max(number) FROM bundle WHERE environment = $1 AND job_id = $2;

-- name: gather
-- Each thing once, with its fields as the job left them (the last command that gave one) and as
-- they had been (the first that changed it). Some bundles at a time, in their order, those behind $3
-- up to $4: a list of 200,000 rows takes longer than a statement may.
INSERT INTO undo AS u (environment, job_id, kind, id, made, given, before, holder)
SELECT $1, $2, kind, id, bool_or(made),
    coalesce(jsonb_object_agg(field, given ORDER BY row, step) FILTER (WHERE field IS NOT NULL), '{}'),
    coalesce(jsonb_object_agg(field, before ORDER BY row DESC, step DESC)
        FILTER (WHERE field IS NOT NULL AND NOT made), '{}'),
    (array_agg(holder ORDER BY row, step) FILTER (WHERE holder IS NOT NULL))[1]
FROM (
    SELECT c.row, c.step, 'customer' AS kind, c.body ->> 'customer_id' AS id,
        c.type = 'customer.register' AS made, f.key AS field, f.value AS given,
        coalesce(c.before -> f.key, 'null') AS before, NULL::uuid AS holder
    FROM command AS c, jsonb_each(c.body - 'customer_id') AS f
    WHERE c.environment = $1 AND c.job_id = $2 AND c.number > $3 AND c.number <= $4
      AND c.effect IN ('created', 'changed')
      AND c.type IN ('customer.register', 'customer.change')
    UNION ALL
    SELECT c.row, c.step, CASE c.type WHEN 'account.open' THEN 'account' ELSE 'link' END,
        c.body ->> 'account', c.type = 'account.open', NULL, NULL, NULL,
        coalesce(c.body ->> 'holder', c.body ->> 'customer_id')::uuid
    FROM command AS c
    WHERE c.environment = $1 AND c.job_id = $2 AND c.number > $3 AND c.number <= $4
      AND c.effect IN ('created', 'changed')
      AND c.type IN ('account.open', 'account.link')
    UNION ALL
    SELECT c.row, c.step, 'account', a, false, f.key, c.body -> f.key,
        coalesce(c.before -> a -> f.key, 'null'), NULL
    FROM command AS c, jsonb_array_elements_text(c.body -> 'accounts') AS a,
        jsonb_each(c.before -> a) AS f
    WHERE c.environment = $1 AND c.job_id = $2 AND c.number > $3 AND c.number <= $4
      AND c.effect IN ('created', 'changed')
      AND c.type = 'account.change') AS t
GROUP BY kind, id
ON CONFLICT (environment, job_id, kind, id) DO UPDATE
SET made = u.made OR excluded.made, given = u.given || excluded.given,
    before = excluded.before || u.before, holder = coalesce(u.holder, excluded.holder);

-- name: undecided
SELECT kind, id, made, given, before, holder FROM undo
WHERE environment = $1 AND job_id = $2 AND NOT decided AND kind = $3 ORDER BY id LIMIT $4;

-- name: accounts_now
SELECT account AS id, fields, holder, false AS erased FROM account
WHERE environment = $1 AND account = ANY($2::text[]);

-- name: customers_now
SELECT customer_id::text AS id, fields, NULL::uuid AS holder, erased FROM customer
WHERE environment = $1 AND customer_id = ANY($2::text[]::uuid[]);

-- name: in_use
-- The accounts that these customers hold or look at, but those that this undo has closed or taken
-- from them: the registry's state of these may come later than its answer. Looked up key by key
-- (OFFSET 0): of tables that nobody has counted yet the planner thinks that they are empty, and went
-- through all steps of the undo, and all accounts, for each customer.
SELECT who::text AS customer_id, a.account FROM unnest($3::text[]::uuid[]) AS who CROSS JOIN LATERAL (
    SELECT account FROM account WHERE environment = $1 AND holder = who
    UNION
    SELECT v.account FROM (
        SELECT environment, account FROM account
        WHERE viewers <> '{}' AND viewers @> ARRAY[who] OFFSET 0) AS v
    WHERE v.environment = $1) AS a
WHERE NOT EXISTS (
    SELECT FROM undo_step AS s
    WHERE s.environment = $1 AND s.job_id = $2 AND s.kind IN ('account', 'link')
      AND s.id = a.account AND s.act IN ('close', 'unlink') AND s.outcome = 'applied' OFFSET 0)
ORDER BY 1, 2;

-- name: decide
INSERT INTO undo_step (environment, job_id, kind, id, act, command_id, type, body, kept)
SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::jsonb[],
                             $9::text[]);

-- name: decided
UPDATE undo SET decided = true
WHERE environment = $1 AND job_id = $2 AND kind = $3 AND id = ANY($4::text[]);

-- name: open_steps
-- Steps without an outcome, and how many of them were sent.
SELECT count(*) AS open, count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent FROM undo_step
WHERE environment = $1 AND job_id = $2 AND command_id IS NOT NULL AND outcome IS NULL;

-- name: to_send
-- What was not sent yet, or had no outcome since $3; an unlink once its probe was applied.
SELECT s.command_id, s.type, s.body FROM undo_step AS s
WHERE s.environment = $1 AND s.job_id = $2 AND s.command_id IS NOT NULL AND s.outcome IS NULL
  AND (s.sent_at IS NULL OR s.sent_at < $3)
  AND (s.act <> 'unlink' OR EXISTS (
        SELECT FROM undo_step AS p WHERE p.environment = $1 AND p.job_id = $2
          AND p.kind = s.kind AND p.id = s.id AND p.act = 'probe' AND p.outcome = 'applied'))
ORDER BY s.kind, s.id, s.act LIMIT $4;

-- name: not_unlinked
UPDATE undo_step AS s SET outcome = 'refused', reason = p.reason, message = p.message
FROM undo_step AS p
WHERE s.environment = $1 AND s.job_id = $2 AND s.act = 'unlink' AND s.outcome IS NULL
  AND p.environment = $1 AND p.job_id = $2 AND p.kind = s.kind AND p.id = s.id
  AND p.act = 'probe' AND p.outcome = 'refused';

-- name: sent
UPDATE undo_step SET sent_at = $2 WHERE environment = $1 AND command_id = ANY($3::uuid[]);

-- name: progress
SELECT count(*) AS things, count(*) FILTER (WHERE u.decided AND NOT EXISTS (
    SELECT FROM undo_step AS s
    WHERE s.environment = $1 AND s.job_id = $2 AND s.kind = u.kind AND s.id = u.id
      AND s.command_id IS NOT NULL AND s.outcome IS NULL)) AS done
FROM undo AS u WHERE u.environment = $1 AND u.job_id = $2;

-- name: counts
SELECT count(*) FILTER (WHERE act = 'close') AS closed, count(*) FILTER (WHERE act = 'erase') AS erased,
    count(DISTINCT (replace(kind, 'link', 'account'), id))
        FILTER (WHERE act IN ('restore', 'unlink')) AS restored
FROM undo_step
WHERE environment = $1 AND job_id = $2 AND outcome = 'applied';

-- name: kept
SELECT kind, id, kept, outcome, reason, message, count(*) OVER () AS all
FROM undo_step
WHERE environment = $1 AND job_id = $2 AND act <> 'probe'
  AND (kept <> '' OR outcome = 'refused')
ORDER BY replace(kind, 'link', 'account'), id, act LIMIT $3;
