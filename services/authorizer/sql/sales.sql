-- The way of a batch of sales and cancellations. Rows are locked in one order everywhere:
-- environments, accounts by (environment, account), sales by (environment, sale_id).
--
-- These statements are planned once (runtime/database.py, BY_KEY), perhaps when a table is still
-- empty. So they are written in such a way that a row can only be found by its key: a lateral
-- subquery or a merge can't be turned round, as a join can, to begin with the whole table.

-- name: lock_accounts
-- The environments' settings as decisions need them, a row each without an account, and a row for
-- each account; `row` is the transaction that wrote an account, and with an environment this one,
-- which writes what is moved. The key-share lock holds up nobody but who changes the rules by which sales are
-- decided (registry.sql, lock_environments_against_sales).
-- An account that is not there locks nothing: two that decline it at once meet at the sale's key.
WITH house AS MATERIALIZED (
    SELECT environment, version, gdpr_at IS NOT NULL AS gdpr_accepted, active, currency, language,
           limit_release
    FROM environment
    WHERE environment = ANY ($1::int[])
    ORDER BY environment
    FOR KEY SHARE
), wanted AS MATERIALIZED (
    SELECT * FROM unnest($2::int[], $3::text[]) AS u (environment, account)
    ORDER BY environment, account COLLATE "C"
), standing AS MATERIALIZED (
    SELECT a.*
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT a.xmin AS row, a.environment, a.account, a.credit_limit, a.status, a.on_account,
               a.approved, a.reversed, a.issued, a.credited, a.paid, a.refunded
        FROM account AS a
        WHERE a.environment = w.environment AND a.account = w.account
        FOR NO KEY UPDATE) AS a
    WHERE (SELECT count(*) FROM house) >= 0  -- always: after the environments are locked
)
SELECT environment, NULL AS account, pg_current_xact_id()::xid AS row, version, gdpr_accepted,
       active, currency, language, limit_release,
       NULL AS credit_limit, NULL AS status, NULL AS on_account, NULL AS approved, NULL AS reversed,
       NULL AS issued, NULL AS credited, NULL AS paid, NULL AS refunded
FROM house
UNION ALL
SELECT environment, account, row, NULL, NULL, NULL, NULL, NULL, NULL,
       credit_limit, status, on_account, approved, reversed, issued, credited, paid, refunded
FROM standing;

-- name: keep_sales_out
-- For a batch in which a sale.recorded can't be read: another worker may be deciding its till's mended
-- one at this moment, and neither finds a row of the other's. So what is being decided is waited for,
-- and what comes next finds the list as this batch leaves it. All its environments at once, before
-- they are locked for sales: two such batches would each wait for what the other has.
SELECT FROM environment WHERE environment = ANY ($1::int[]) ORDER BY environment FOR UPDATE;

-- name: recall_sales
-- Known sales, locked: few, for most ids are new. In a statement of its own, so that what is
-- recalled is as it was left by whoever held the accounts.
SELECT s.environment, s.sale_id::text, s.state, s.account, s.digest, s.total, s.recorded,
       s.cancelled_first, s.called_off, s.reversed_lines, s.decided_at, s.answer
FROM (SELECT * FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id) ORDER BY 1, 2) AS w
CROSS JOIN LATERAL (
    SELECT s.*
    FROM sale AS s
    WHERE s.environment = w.environment AND s.sale_id = w.sale_id
    FOR NO KEY UPDATE) AS s;

-- name: called_off
-- On which accounts sales were cancelled before they came.
SELECT c.environment, c.sale_id::text, c.account
FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
CROSS JOIN LATERAL (
    SELECT c.*
    FROM cancellation AS c
    WHERE c.environment = u.environment AND c.sale_id = u.sale_id AND c.type = 'sale.reversed'
    OFFSET 0) AS c;

-- name: recall_cancellations
SELECT c.environment, c.cancellation_id::text, c.account, c.digest, c.decided_at, c.type, c.answer
FROM unnest($1::int[], $2::uuid[]) AS u (environment, cancellation_id)
CROSS JOIN LATERAL (
    SELECT c.*
    FROM cancellation AS c
    WHERE c.environment = u.environment AND c.cancellation_id = u.cancellation_id
    OFFSET 0) AS c;

-- name: await_sales
-- A cancellation came before its sale: the sale will be declined.
INSERT INTO sale (environment, sale_id, account, state, recorded, cancelled_first, total)
SELECT u.*, 'awaited', false, true, 0
FROM unnest($1::int[], $2::uuid[], $3::text[]) AS u;

-- name: record_sales
-- New sales with their answers, and what they and reversals add to the accounts' sums.
WITH recorded AS (
    INSERT INTO sale (environment, sale_id, account, digest, total, answer, state, recorded,
                      decided_at)
    SELECT u.*, $13
    FROM unnest($1::int[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[],
                $7::text[], $8::bool[]) AS u
)
MERGE INTO account AS a
USING unnest($9::int[], $10::text[], $11::bigint[], $12::bigint[])
      AS u (environment, account, approved, reversed)
ON a.environment = u.environment AND a.account = u.account
WHEN MATCHED THEN
    UPDATE SET approved = a.approved + u.approved, reversed = a.reversed + u.reversed
WHEN NOT MATCHED THEN DO NOTHING;

-- name: decide_known_sales
-- Sales that were declined, or cancelled before they came, and are answered anew. What is approved
-- was not cancelled: that was another one, on another account.
MERGE INTO sale AS s
USING unnest($1::int[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[], $7::text[],
             $8::bool[])
      AS u (environment, sale_id, account, digest, total, answer, state, recorded)
ON s.environment = u.environment AND s.sale_id = u.sale_id
WHEN MATCHED THEN
    UPDATE SET account = u.account, digest = u.digest, total = u.total, answer = u.answer,
               state = u.state, recorded = u.recorded, decided_at = $9,
               cancelled_first = s.cancelled_first AND u.state <> 'approved'
WHEN NOT MATCHED THEN DO NOTHING;

-- name: reverse_sales
MERGE INTO sale AS s
USING unnest($1::int[], $2::uuid[], $3::bigint[], $4::text[])
      AS u (environment, sale_id, reversed, reversed_lines)
ON s.environment = u.environment AND s.sale_id = u.sale_id
WHEN MATCHED THEN
    UPDATE SET reversed = u.reversed, reversed_lines = u.reversed_lines::bigint[]
WHEN NOT MATCHED THEN DO NOTHING;

-- name: call_off_sales
-- Sales that were declined, and are not to be made: should one have been, that is taken back too.
MERGE INTO sale AS s
USING unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
ON s.environment = u.environment AND s.sale_id = u.sale_id
WHEN MATCHED THEN
    UPDATE SET called_off = true
WHEN NOT MATCHED THEN DO NOTHING;

-- name: record_cancellations
INSERT INTO cancellation (environment, cancellation_id, sale_id, account, digest, amount, type,
                          answer, decided_at)
SELECT u.*, $9
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::bigint[], $7::text[],
            $8::bytea[]) AS u;

-- name: recall_refusals
SELECT r.environment, r.kind, r.id::text, r.digest, r.key, r.type, r.decided_at, r.answer
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::bytea[]) AS u (environment, kind, id, digest)
CROSS JOIN LATERAL (
    SELECT r.*
    FROM refusal AS r
    WHERE r.environment = u.environment AND r.kind = u.kind AND r.id = u.id
      AND r.digest = u.digest
    OFFSET 0) AS r;

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
-- A sale that was moved from it stands for it now, or a till took it back. Where one content is meant
-- (of a sale itself; alone: of the one that was booked), only that and what was unreadable of it: under
-- a reused id another sale may wait. Not told by its id: a cancellation may have the same.
UPDATE unbooked AS b
SET cleared_at = $4, cleared_by = u.cleared_by
FROM unnest($1::int[], $2::uuid[], $3::uuid[], $5::bytea[], $6::bool[])
     AS u (environment, sale_id, cleared_by, digest, alone)
WHERE b.environment = u.environment AND b.sale_id = u.sale_id AND b.cleared_at IS NULL
  AND (u.digest IS NULL OR b.digest = u.digest OR (b.reason = 'invalid_message' AND NOT u.alone));
