-- The registry's rows as state records have them. Looked up key by key (OFFSET 0): of two sets that
-- are joined PostgreSQL may read the whole table, and an import asks hundreds of times.

-- name: environments
SELECT environment, version, active, gdpr_by, gdpr_document, gdpr_at, settings, changed_at
FROM environment
WHERE environment = ANY ($1::int[]);

-- name: customers
SELECT c.environment, c.customer_id::text, c.version, c.erased, c.fields, c.changed_at
FROM unnest($1::int[], $2::uuid[]) AS u (environment, customer_id)
CROSS JOIN LATERAL (
    SELECT c.*
    FROM customer AS c
    WHERE c.environment = u.environment AND c.customer_id = u.customer_id
    OFFSET 0) AS c;

-- name: accounts
SELECT a.environment, a.account, a.version, a.description, a.status, a.credit_limit, a.on_account,
       a.in_overview, a.holder::text, a.changed_at,
       ARRAY(SELECT v.customer_id::text FROM account_viewer AS v
             WHERE v.environment = a.environment AND v.account = a.account
             ORDER BY 1) AS viewers
FROM unnest($1::int[], $2::text[]) AS u (environment, account)
CROSS JOIN LATERAL (
    SELECT a.*
    FROM account AS a
    WHERE a.environment = u.environment AND a.account = u.account
    OFFSET 0) AS a;

-- name: revisions
SELECT environment, revision FROM environment WHERE environment = ANY ($1::int[]);

-- name: newer_customers
-- Those that moved on beyond the version that was told.
SELECT u.environment, u.customer_id::text AS id
FROM unnest($1::int[], $2::uuid[], $3::bigint[]) AS u (environment, customer_id, version)
CROSS JOIN LATERAL (
    SELECT
    FROM customer AS c
    WHERE c.environment = u.environment AND c.customer_id = u.customer_id
      AND c.version > u.version
    OFFSET 0) AS c;

-- name: newer_accounts
SELECT u.environment, u.account AS id
FROM unnest($1::int[], $2::text[], $3::bigint[]) AS u (environment, account, version)
CROSS JOIN LATERAL (
    SELECT
    FROM account AS a
    WHERE a.environment = u.environment AND a.account = u.account AND a.version > u.version
    OFFSET 0) AS a;

-- name: customers_after
-- One step of telling everything again; by the key (see searches_after).
SELECT c.customer_id::text FROM customer AS c
WHERE c.environment = $1
  AND c.customer_id >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
  AND c.customer_id IS DISTINCT FROM $2::uuid  -- of nil there may be one too
ORDER BY c.customer_id
LIMIT $3;

-- name: accounts_after
SELECT account FROM account
WHERE environment = $1 AND account > coalesce($2::text, '')
ORDER BY account
LIMIT $3;
