-- The registry's rows as state records have them.

-- name: environments
SELECT environment, version, active, gdpr_by, gdpr_document, gdpr_at, settings, changed_at
FROM environment
WHERE environment = ANY ($1::int[]);

-- name: customers
SELECT c.environment, c.customer_id::text, c.version, c.erased, c.fields, c.changed_at
FROM unnest($1::int[], $2::uuid[]) AS u (environment, customer_id)
JOIN customer AS c ON c.environment = u.environment AND c.customer_id = u.customer_id;

-- name: accounts
SELECT a.environment, a.account, a.version, a.description, a.status, a.credit_limit, a.on_account,
       a.in_overview, a.holder::text, a.changed_at,
       ARRAY(SELECT v.customer_id::text FROM account_viewer AS v
             WHERE v.environment = a.environment AND v.account = a.account
             ORDER BY 1) AS viewers
FROM unnest($1::int[], $2::text[]) AS u (environment, account)
JOIN account AS a ON a.environment = u.environment AND a.account = u.account;

-- name: newer_customers
-- Those that moved on beyond the version that was told.
SELECT c.environment, c.customer_id::text AS id
FROM unnest($1::int[], $2::uuid[], $3::bigint[]) AS u (environment, customer_id, version)
JOIN customer AS c ON c.environment = u.environment AND c.customer_id = u.customer_id
WHERE c.version > u.version;

-- name: newer_accounts
SELECT a.environment, a.account AS id
FROM unnest($1::int[], $2::text[], $3::bigint[]) AS u (environment, account, version)
JOIN account AS a ON a.environment = u.environment AND a.account = u.account
WHERE a.version > u.version;

-- name: customers_after
-- One step of telling everything again.
SELECT customer_id::text FROM customer
WHERE environment = $1 AND ($2::uuid IS NULL OR customer_id > $2)
ORDER BY customer_id
LIMIT $3;

-- name: accounts_after
SELECT account FROM account
WHERE environment = $1 AND ($2::text IS NULL OR account > $2)
ORDER BY account
LIMIT $3;
