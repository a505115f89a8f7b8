-- name: tell_again
-- Each venue's registry, and what was decided of its sales since a moment.
INSERT INTO job (kind, ref, payload)
SELECT 'republish', environment || '/' || gen_random_uuid(),
       jsonb_build_object('environment', environment, 'since', $1::timestamptz)
FROM environment;

-- name: sales_after
-- What was approved of a venue since $3, in the bytes of then, among the next $4 sales of its key, or
-- fewer: no more than have $5 bytes before the last of them. A row for each of these sales; without
-- an answer where there is none to be told.
SELECT sale_id::text AS id, account, 'sale.approved' AS type, decided_at, answer
FROM (
    SELECT s.*, sum(octet_length(s.answer)) OVER (ORDER BY s.sale_id)
               - coalesce(octet_length(s.answer), 0) AS before
    FROM (
        SELECT sale_id, account, decided_at,
               CASE WHEN state = 'approved' AND decided_at >= $3 THEN answer END AS answer
        FROM sale
        WHERE environment = $1
          AND sale_id >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
          AND sale_id IS DISTINCT FROM $2::uuid  -- of nil there may be one too
        ORDER BY sale_id LIMIT $4) AS s) AS s
WHERE coalesce(before, 0) < $5
ORDER BY sale_id;

-- name: cancellations_after
-- As `sales_after`: what was taken back.
SELECT cancellation_id::text AS id, account, type, decided_at, answer
FROM (
    SELECT c.*, sum(octet_length(c.answer)) OVER (ORDER BY c.cancellation_id)
               - coalesce(octet_length(c.answer), 0) AS before
    FROM (
        SELECT cancellation_id, account, type, decided_at,
               CASE WHEN type = 'sale.reversed' AND decided_at >= $3 THEN answer END AS answer
        FROM cancellation
        WHERE environment = $1
          AND cancellation_id >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
          AND cancellation_id IS DISTINCT FROM $2::uuid
        ORDER BY cancellation_id LIMIT $4) AS c) AS c
WHERE coalesce(before, 0) < $5
ORDER BY cancellation_id;
