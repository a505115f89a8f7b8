-- Sales that could not be booked, as state records have them, and taking one off the list.

-- name: unbooked
SELECT b.environment, b.sale_id::text, b.digest, b.account, b.reason, b.noted_at, b.sale,
       b.cleared_at, b.cleared_by::text
FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
JOIN unbooked AS b ON b.environment = u.environment AND b.sale_id = u.sale_id;

-- name: recall_unbooked
-- Locked: what is booked is not dismissed or taken back meanwhile. `taken_back`: cleared by a
-- cancellation of its till's.
SELECT b.environment, b.sale_id::text, b.digest, b.account, b.reason, b.cleared_by::text,
       c.found IS NOT NULL AS taken_back
FROM (SELECT * FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id) ORDER BY 1, 2) AS w
CROSS JOIN LATERAL (
    SELECT b.*
    FROM unbooked AS b
    WHERE b.environment = w.environment AND b.sale_id = w.sale_id
    ORDER BY b.digest
    FOR NO KEY UPDATE) AS b
LEFT JOIN LATERAL (
    SELECT true AS found
    FROM cancellation AS c
    WHERE c.environment = b.environment AND c.cancellation_id = b.cleared_by
      AND c.sale_id = b.sale_id
    OFFSET 0) AS c ON true;

-- name: lock_unbooked
SELECT digest, cleared_at IS NOT NULL AS cleared
FROM unbooked
WHERE environment = $1 AND sale_id = $2
ORDER BY digest
FOR UPDATE;

-- name: dismiss
UPDATE unbooked SET cleared_at = $4, cleared_by = $5
WHERE environment = $1 AND sale_id = $2 AND digest = ANY ($3::bytea[]) AND cleared_at IS NULL;

-- name: unbooked_after
-- One step of telling everything again.
SELECT DISTINCT sale_id::text FROM unbooked
WHERE environment = $1 AND ($2::uuid IS NULL OR sale_id > $2)
ORDER BY sale_id
LIMIT $3;
