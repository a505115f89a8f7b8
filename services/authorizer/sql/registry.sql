-- name: recall_commands
SELECT c.environment, c.command_id, c.digest, c.decided_at, c.applied, c.touched, c.answer
FROM command AS c
JOIN unnest($1::int[], $2::uuid[]) AS wanted (environment, command_id)
  USING (environment, command_id);

-- name: lock_environments
SELECT environment, version, active, gdpr, settings,
       EXISTS (SELECT FROM sale AS s WHERE s.environment = e.environment AND s.approved) AS has_sales
FROM environment AS e WHERE environment = ANY($1::int[])
ORDER BY environment FOR NO KEY UPDATE;

-- name: lock_customers
SELECT c.environment, c.customer_id, c.version, c.fields, c.erased
FROM customer AS c
JOIN unnest($1::int[], $2::uuid[]) AS wanted (environment, customer_id)
  USING (environment, customer_id)
ORDER BY c.environment, c.customer_id
FOR NO KEY UPDATE OF c;

-- name: lock_accounts
SELECT a.environment, a.account, a.version, a.description, a.status, a.credit_limit,
       a.on_account, a.in_overview, a.holder, a.viewers,
       a.approved, a.reversed, a.issued, a.credited, a.paid
FROM account AS a
JOIN unnest($1::int[], $2::text[]) AS wanted (environment, account)
  USING (environment, account)
ORDER BY a.environment, a.account
FOR NO KEY UPDATE OF a;

-- name: accounts_of
-- The accounts that these customers hold or view: they are let go when a customer is erased.
SELECT DISTINCT a.environment, a.account
FROM account AS a
JOIN unnest($1::int[], $2::uuid[]) AS gone (environment, customer_id)
  ON a.environment = gone.environment
 AND (a.holder = gone.customer_id OR gone.customer_id = ANY(a.viewers));

-- name: put_environments
INSERT INTO environment AS e (environment, version, active, gdpr, settings, currency, language,
                              limit_release, changed_at)
SELECT *, $9::timestamptz
FROM unnest($1::int[], $2::bigint[], $3::bool[], $4::jsonb[], $5::jsonb[], $6::text[], $7::text[],
            $8::text[])
ON CONFLICT (environment) DO UPDATE
SET version = excluded.version, active = excluded.active, gdpr = excluded.gdpr,
    settings = excluded.settings, currency = excluded.currency, language = excluded.language,
    limit_release = excluded.limit_release, changed_at = excluded.changed_at
WHERE e.version < excluded.version;

-- name: insert_customers
INSERT INTO customer (environment, customer_id, version, fields, erased, changed_at)
SELECT *, $6::timestamptz
FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::jsonb[], $5::bool[]);

-- name: update_customers
UPDATE customer AS c
SET version = n.version, fields = n.fields, erased = n.erased, changed_at = $6
FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::jsonb[], $5::bool[])
     AS n (environment, customer_id, version, fields, erased)
WHERE c.environment = n.environment AND c.customer_id = n.customer_id;

-- name: insert_accounts
INSERT INTO account (environment, account, version, description, status, credit_limit, on_account,
                     in_overview, holder, viewers, changed_at)
SELECT n.environment, n.account, n.version, n.description, n.status, n.credit_limit, n.on_account,
       n.in_overview, n.holder, ARRAY(SELECT jsonb_array_elements_text(n.viewers)::uuid), $11
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bool[],
            $8::bool[], $9::uuid[], $10::jsonb[])
     AS n (environment, account, version, description, status, credit_limit, on_account,
           in_overview, holder, viewers);

-- name: update_accounts
UPDATE account AS a
SET version = n.version, description = n.description, status = n.status,
    credit_limit = n.credit_limit, on_account = n.on_account, in_overview = n.in_overview,
    holder = n.holder, viewers = ARRAY(SELECT jsonb_array_elements_text(n.viewers)::uuid),
    changed_at = $11
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bool[],
            $8::bool[], $9::uuid[], $10::jsonb[])
     AS n (environment, account, version, description, status, credit_limit, on_account,
           in_overview, holder, viewers)
WHERE a.environment = n.environment AND a.account = n.account;

-- name: insert_commands
INSERT INTO command (environment, command_id, digest, decided_at, applied, touched, answer)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::timestamptz[], $5::bool[],
                     $6::jsonb[], $7::bytea[]);

-- name: recall_reused
SELECT r.environment, r.id, r.digest, r.decided_at, r.answer
FROM reused AS r
JOIN unnest($1::int[], $2::uuid[], $3::bytea[]) AS wanted (environment, id, digest)
  USING (environment, id, digest)
WHERE r.kind = 'command';

-- name: insert_reused_commands
INSERT INTO reused (kind, environment, id, digest, decided_at, answer)
SELECT 'command', * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::timestamptz[], $5::bytea[]);

-- name: keys_of_environment
-- Everything of an environment that has a state record.
SELECT 'environment' AS kind, environment::text AS id FROM environment WHERE environment = $1
UNION ALL SELECT 'customer', customer_id::text FROM customer WHERE environment = $1
UNION ALL SELECT 'account', account FROM account WHERE environment = $1;

-- name: environment_states
SELECT environment, version, active, gdpr, settings, changed_at
FROM environment WHERE environment = ANY($1::int[]);

-- name: customer_states
SELECT c.environment, c.customer_id, c.version, c.fields, c.erased, c.changed_at
FROM customer AS c
JOIN unnest($1::int[], $2::uuid[]) AS wanted (environment, customer_id)
  USING (environment, customer_id);

-- name: account_states
SELECT a.environment, a.account, a.version, a.description, a.status, a.credit_limit,
       a.on_account, a.in_overview, a.holder, a.viewers, a.changed_at
FROM account AS a
JOIN unnest($1::int[], $2::text[]) AS wanted (environment, account)
  USING (environment, account);
