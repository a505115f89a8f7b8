-- Sales that could not be booked, as state records have them, and taking one off the list.

-- name: unbooked
SELECT b.environment, b.sale_id::text, b.digest, b.account, b.reason, b.noted_at, b.sale,
       b.cleared_at, b.cleared_by::text
FROM unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
JOIN unbooked AS b ON b.environment = u.environment AND b.sale_id = u.sale_id;

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
