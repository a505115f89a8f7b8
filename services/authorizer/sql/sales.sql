-- name: venues
SELECT environment, gdpr IS NOT NULL AS gdpr_accepted, active, currency, language, limit_release
FROM environment WHERE environment = ANY($1::int[]);

-- name: lock_accounts
-- Always in one order, so that two batches never wait for each other in a circle.
SELECT a.environment, a.account, a.status, a.on_account, a.credit_limit,
       a.approved, a.reversed, a.issued, a.credited, a.paid
FROM account AS a
JOIN unnest($1::int[], $2::text[]) AS wanted (environment, account)
  USING (environment, account)
ORDER BY a.environment, a.account
FOR NO KEY UPDATE OF a;

-- name: recall_sales
SELECT s.environment, s.sale_id, s.digest, s.account, s.approved, s.recorded, s.total,
       s.lines_reversed, s.booked_at, s.decided_at, s.reason, s.answer
FROM sale AS s
JOIN unnest($1::int[], $2::uuid[]) AS wanted (environment, sale_id)
  USING (environment, sale_id)
ORDER BY s.environment, s.sale_id
FOR NO KEY UPDATE OF s;

-- name: recall_cancellations
SELECT c.environment, c.cancellation_id, c.digest, c.decided_at, c.reason, c.answer
FROM cancellation AS c
JOIN unnest($1::int[], $2::uuid[]) AS wanted (environment, cancellation_id)
  USING (environment, cancellation_id);

-- name: recall_reused
SELECT r.kind, r.environment, r.id, r.digest, r.decided_at, r.answer
FROM reused AS r
JOIN unnest($1::text[], $2::int[], $3::uuid[]) AS wanted (kind, environment, id)
  USING (kind, environment, id);

-- name: booked_of
-- When the sales were booked that others were moved from.
SELECT s.environment, s.sale_id, s.booked_at
FROM sale AS s
JOIN unnest($1::int[], $2::uuid[]) AS wanted (environment, sale_id)
  USING (environment, sale_id)
WHERE s.approved;

-- name: insert_sales
INSERT INTO sale (environment, sale_id, digest, account, approved, recorded, total, reversed,
                  lines_reversed, booked_at, decided_at, reason, answer)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::bool[], $6::bool[],
                     $7::bigint[], $8::bigint[], $9::jsonb[], $10::timestamptz[],
                     $11::timestamptz[], $12::text[], $13::bytea[]);

-- name: update_sales
UPDATE sale AS s
SET digest = n.digest, account = n.account, approved = n.approved, recorded = n.recorded,
    total = n.total, reversed = n.reversed, lines_reversed = n.lines_reversed,
    booked_at = n.booked_at, decided_at = n.decided_at, reason = n.reason, answer = n.answer
FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::bool[], $6::bool[],
            $7::bigint[], $8::bigint[], $9::jsonb[], $10::timestamptz[],
            $11::timestamptz[], $12::text[], $13::bytea[])
     AS n (environment, sale_id, digest, account, approved, recorded, total, reversed,
           lines_reversed, booked_at, decided_at, reason, answer)
WHERE s.environment = n.environment AND s.sale_id = n.sale_id;

-- name: insert_cancellations
INSERT INTO cancellation (environment, cancellation_id, digest, sale_id, account, amount,
                          decided_at, reason, answer)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::uuid[], $5::text[], $6::bigint[],
                     $7::timestamptz[], $8::text[], $9::bytea[]);

-- name: insert_reused
INSERT INTO reused (kind, environment, id, digest, decided_at, answer)
SELECT * FROM unnest($1::text[], $2::int[], $3::uuid[], $4::bytea[], $5::timestamptz[],
                     $6::bytea[]);

-- name: update_sums
UPDATE account AS a
SET approved = n.approved, reversed = n.reversed
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[])
     AS n (environment, account, approved, reversed)
WHERE a.environment = n.environment AND a.account = n.account;
