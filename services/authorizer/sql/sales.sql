-- The way of a batch of sales and cancellations. Rows are locked in one order everywhere:
-- environments, accounts by (environment, account), sales by (environment, sale_id).

-- name: houses
-- The environments' settings as decisions need them. The key-share lock holds up nobody but who
-- changes the rules by which sales are decided (registry.sql, lock_environments_against_sales).
SELECT environment, active, gdpr_at IS NOT NULL AS gdpr_accepted, currency, language, limit_release
FROM environment
WHERE environment = ANY ($1::int[])
ORDER BY environment
FOR KEY SHARE;

-- name: lock_accounts
-- An account that is not there locks nothing: two that decline it at once meet at the sale's key.
SELECT a.environment, a.account, a.credit_limit, a.status, a.on_account,
       a.approved, a.reversed, a.issued, a.credited, a.paid
FROM unnest($1::int[], $2::text[]) AS u (environment, account)
JOIN account AS a ON a.environment = u.environment AND a.account = u.account
ORDER BY a.environment, a.account
FOR NO KEY UPDATE OF a;

-- name: recall_sales
-- Known sales, locked: few, for most ids are new.
SELECT s.environment, s.sale_id::text, s.state, s.recorded, s.cancelled_first, s.account,
       s.digest, s.total, s.reversed, s.reversed_lines, s.decided_at, s.answer
FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
JOIN sale AS s ON s.environment = u.environment AND s.sale_id = u.sale_id
ORDER BY s.environment, s.sale_id
FOR NO KEY UPDATE OF s;

-- name: called_off
-- On which accounts sales were cancelled before they came.
SELECT c.environment, c.sale_id::text, c.account
FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
JOIN cancellation AS c ON c.environment = u.environment AND c.sale_id = u.sale_id
WHERE c.type = 'sale.reversed';

-- name: recall_cancellations
SELECT c.environment, c.cancellation_id::text, c.account, c.digest, c.decided_at, c.type, c.answer
FROM unnest($1::int[], $2::uuid[]) AS u (environment, cancellation_id)
JOIN cancellation AS c
  ON c.environment = u.environment AND c.cancellation_id = u.cancellation_id;

-- name: await_sales
-- A cancellation came before its sale: the sale will be declined.
INSERT INTO sale (environment, sale_id, account, state, recorded, cancelled_first, total)
SELECT u.*, 'awaited', false, true, 0
FROM unnest($1::int[], $2::uuid[], $3::text[]) AS u;

-- name: record_sales
INSERT INTO sale (environment, sale_id, account, digest, total, answer, state, recorded,
                  decided_at)
SELECT u.*, $7, $8, $9
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[]) AS u;

-- name: decide_known_sales
-- Sales that were declined, or cancelled before they came, and are answered anew. What is approved
-- was not cancelled: that was another one, on another account.
UPDATE sale AS s
SET account = u.account, digest = u.digest, total = u.total, answer = u.answer, state = $7,
    recorded = $8, decided_at = $9,
    cancelled_first = s.cancelled_first AND $7 <> 'approved'
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[])
     AS u (environment, sale_id, account, digest, total, answer)
WHERE s.environment = u.environment AND s.sale_id = u.sale_id;

-- name: reverse_sales
UPDATE sale AS s
SET reversed = u.reversed, reversed_lines = u.reversed_lines::bigint[]
FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::text[])
     AS u (environment, sale_id, reversed, reversed_lines)
WHERE s.environment = u.environment AND s.sale_id = u.sale_id;

-- name: record_cancellations
INSERT INTO cancellation (environment, cancellation_id, sale_id, account, digest, amount, type,
                          answer, decided_at)
SELECT u.*, $9
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::bigint[], $7::text[],
            $8::bytea[]) AS u;

-- name: add_to_sums
UPDATE account AS a
SET approved = a.approved + u.approved, reversed = a.reversed + u.reversed
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[])
     AS u (environment, account, approved, reversed)
WHERE a.environment = u.environment AND a.account = u.account;

-- name: recall_refusals
SELECT r.environment, r.kind, r.id::text, r.digest, r.key, r.type, r.decided_at, r.answer
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::bytea[]) AS u (environment, kind, id, digest)
JOIN refusal AS r USING (environment, kind, id, digest);

-- name: record_refusals
INSERT INTO refusal (environment, kind, id, digest, key, type, answer, decided_at)
SELECT u.*, $8
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::bytea[], $5::text[], $6::text[], $7::bytea[])
     AS u;

-- name: note_unbooked
INSERT INTO unbooked (environment, sale_id, digest, account, reason, sale, cleared_at, cleared_by,
                      noted_at)
SELECT u.*, $9
FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::bytea[],
            $7::timestamptz[], $8::uuid[]) AS u
ON CONFLICT DO NOTHING;

-- name: clear_unbooked
-- A sale that was moved from it stands for it now, or a till took it back. A sale itself clears
-- only what was unreadable of it: under a reused id another sale may wait.
UPDATE unbooked AS b
SET cleared_at = $4, cleared_by = u.cleared_by
FROM unnest($1::int[], $2::uuid[], $3::uuid[]) AS u (environment, sale_id, cleared_by)
WHERE b.environment = u.environment AND b.sale_id = u.sale_id AND b.cleared_at IS NULL
  AND (u.cleared_by <> b.sale_id OR b.reason = 'invalid_message');
