-- name: hear_environments
-- The highest version wins, in whatever order they come, and what changed is counted; here and below
-- in one statement, for an import brings some hundred of each. An environment whose settings are not
-- known yet takes them from a repetition.
WITH changed AS (
    INSERT INTO environment AS e
        (environment, version, gdpr_accepted, import_enabled, language, country, default_limit,
         default_on_account, currency, told)
    SELECT *, true FROM unnest($1::int[], $2::bigint[], $3::boolean[], $4::boolean[], $5::text[],
                               $6::text[], $7::bigint[], $8::boolean[], $9::text[])
    ORDER BY 1
    ON CONFLICT (environment) DO UPDATE
    SET version = excluded.version, gdpr_accepted = excluded.gdpr_accepted,
        import_enabled = excluded.import_enabled, language = excluded.language,
        country = excluded.country, default_limit = excluded.default_limit,
        default_on_account = excluded.default_on_account, currency = excluded.currency,
        told = true
    WHERE e.version < excluded.version OR (e.version = excluded.version AND NOT e.told)
    RETURNING environment)
INSERT INTO heard AS h (environment, changes)
SELECT environment, 1 FROM changed ORDER BY 1
ON CONFLICT (environment) DO UPDATE SET changes = h.changes + excluded.changes;

-- name: hear_customers
-- Here and below the arrays are taken apart row by row: in FROM
-- each would be laid down as a whole first, which takes twice as long.
WITH changed AS (
    INSERT INTO customer AS c
        (environment, customer_id, version, erased, fields, email_key, name_key, other_name_key)
    SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::boolean[]),
           unnest($5::jsonb[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[])
    ORDER BY 1, 2
    ON CONFLICT (environment, customer_id) DO UPDATE
    SET version = excluded.version, erased = excluded.erased, fields = excluded.fields,
        email_key = excluded.email_key, name_key = excluded.name_key,
        other_name_key = excluded.other_name_key
    WHERE c.version < excluded.version
    RETURNING environment)
INSERT INTO heard AS h (environment, changes)
SELECT environment, count(*) FROM changed GROUP BY 1 ORDER BY 1
ON CONFLICT (environment) DO UPDATE SET changes = h.changes + excluded.changes;

-- name: hear_accounts
-- One of which only the viewers are not known yet takes them from a repetition. $7 and $8: the
-- highest number of each environment's series among them.
WITH changed AS (
    INSERT INTO account AS a (environment, account, version, fields, holder, viewers)
    SELECT unnest($1::int[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::jsonb[]),
           unnest($5::uuid[]), unnest($6::text[])::uuid[]
    ORDER BY 1, 2
    ON CONFLICT (environment, account) DO UPDATE
    SET version = excluded.version, fields = excluded.fields, holder = excluded.holder,
        viewers = excluded.viewers
    WHERE a.version < excluded.version OR (a.version = excluded.version AND a.viewers IS NULL)
    RETURNING environment)
INSERT INTO heard AS h (environment, changes, last_in_series)
SELECT c.environment, c.changes, l.number
FROM (SELECT environment, count(*) AS changes FROM changed GROUP BY 1) AS c
JOIN unnest($7::int[], $8::bigint[]) AS l (environment, number) USING (environment)
ORDER BY 1
ON CONFLICT (environment) DO UPDATE
SET changes = h.changes + excluded.changes,
    last_in_series = greatest(h.last_in_series, excluded.last_in_series);

-- name: asked
-- Commands of others are no bundles of ours; one that has its outcome is asked no more.
SELECT b.environment, b.command_id, b.job_id, b.number, b.rows
FROM unnest($1::int[], $2::uuid[]) AS t (environment, command_id)
JOIN bundle AS b ON b.environment = t.environment AND b.command_id = t.command_id
WHERE NOT b.ended;

-- name: steps
SELECT steps FROM bundle WHERE environment = $1 AND job_id = $2 AND number = $3;

-- name: note_results
-- The first outcome stands, and so does what was said of steps that were not sent.
UPDATE bundle AS b SET ended = true,
    results = CASE b.results WHEN '{}' THEN t.results ELSE t.results || b.results END,
    made_customers = t.customers::uuid[], made_accounts = t.accounts
FROM (SELECT environment, job_id, number, results, customers,
          ARRAY(SELECT json_array_elements_text(accounts)) AS accounts
      FROM unnest($1::int[], $2::uuid[], $3::int[], $4::jsonb[], $5::text[], $6::json[])
          AS u (environment, job_id, number, results, customers, accounts)) AS t
WHERE b.environment = t.environment AND b.job_id = t.job_id AND b.number = t.number
  AND NOT b.ended;

-- name: note_undone
UPDATE undo_step AS s
SET outcome = o.outcome, effect = o.effect, reason = o.reason, message = o.message
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS o (environment, command_id, outcome, effect, reason, message)
WHERE s.environment = o.environment AND s.command_id = o.command_id AND s.outcome IS NULL;

-- name: environment
SELECT e.gdpr_accepted, e.import_enabled, e.language, e.country, e.default_limit, default_on_account,
    e.currency, coalesce(h.changes, 0) AS changes
FROM environment AS e LEFT JOIN heard AS h USING (environment)
WHERE e.environment = $1;

-- name: languages
SELECT environment, language FROM environment WHERE environment = ANY($1::int[]);
