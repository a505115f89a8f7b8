-- name: put_environments
-- The highest version wins. A schedule counts from the moment that it was set, however late that was
-- read: the broker's time ($4) of the record that told of it.
INSERT INTO environment AS e (environment, version, state, schedule, schedule_since)
SELECT u.environment, u.version, u.state, nullif(u.state -> 'schedule', 'null'), u.since
FROM unnest($1::int[], $2::bigint[], $3::jsonb[], $4::timestamptz[])
    AS u (environment, version, state, since)
ORDER BY u.environment
ON CONFLICT (environment) DO UPDATE SET
    version = excluded.version,
    state = excluded.state,
    schedule = excluded.schedule,
    schedule_since = CASE WHEN e.schedule IS DISTINCT FROM excluded.schedule
                          THEN excluded.schedule_since ELSE e.schedule_since END
WHERE e.version < excluded.version;

-- name: put_customers
INSERT INTO customer AS c (environment, customer_id, version, state)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::jsonb[]) ORDER BY 1, 2
ON CONFLICT (environment, customer_id) DO UPDATE SET
    version = excluded.version, state = excluded.state
WHERE c.version < excluded.version;

-- name: put_accounts
INSERT INTO account AS a (environment, account, version, holder, state)
SELECT u.environment, u.account, u.version, (u.state ->> 'holder')::uuid, u.state
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::jsonb[]) AS u (environment, account, version, state)
ORDER BY 1, 2
ON CONFLICT (environment, account) DO UPDATE SET
    version = excluded.version, holder = excluded.holder, state = excluded.state
WHERE a.version < excluded.version;

-- name: environments
SELECT environment, state, schedule_since FROM environment WHERE environment = ANY($1::int[]);

-- name: scheduled
-- Environments with a schedule, and which of its runs there were.
SELECT e.state, e.schedule_since, array(
        SELECT r.run_id FROM run AS r
        WHERE r.environment = e.environment AND r.run_id LIKE 'schedule:%'
          AND (r.state <> 'refused' OR r.ended_at > now() - make_interval(secs => $1))
    ) AS runs
FROM environment AS e WHERE e.schedule IS NOT NULL ORDER BY e.environment;

-- name: accounts
-- Accounts with their holders, as the registry told.
SELECT a.account, a.version, a.state ->> 'description' AS description, c.state AS holder
FROM account AS a
LEFT JOIN customer AS c ON (c.environment, c.customer_id) = (a.environment, a.holder)
WHERE a.environment = $1 AND a.account = ANY($2::text[]);

-- name: viewers
-- The states of an account's viewers.
SELECT c.state FROM account AS a
CROSS JOIN jsonb_array_elements_text(coalesce(a.state -> 'viewers', '[]')) AS v (customer_id)
JOIN customer AS c ON (c.environment, c.customer_id) = (a.environment, v.customer_id::uuid)
WHERE a.environment = $1 AND a.account = $2;

-- name: lock_accounts
-- Always in this order, so that two workers never wait for one another in a ring.
SELECT FROM account AS a
JOIN (SELECT * FROM unnest($1::int[], $2::text[])) AS u (environment, account)
  ON (a.environment, a.account) = (u.environment, u.account)
ORDER BY a.environment, a.account
FOR UPDATE OF a;

-- name: add_accounts
-- What is sold on an account that the registry has not told of yet still needs its lock.
INSERT INTO account (environment, account)
SELECT * FROM unnest($1::int[], $2::text[]) ORDER BY 1, 2
ON CONFLICT DO NOTHING;
