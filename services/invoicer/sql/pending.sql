-- name: due_between
-- The first and the last moment at which anything was sold that is due.
SELECT min(booked_at) AS first, max(booked_at) AS last FROM sale_line
WHERE environment = $1 AND due <> 0;

-- name: overview
-- Per account and month what is due of sales that stand on no invoice (`open`), of such as a
-- correction holds, and what was reversed after it was invoiced (`credit`). $2 are the months' first
-- moments and the end of the last: PostgreSQL has zones of its own, and takes CET for a fixed offset.
SELECT l.account, width_bucket(l.booked_at, $2::timestamptz[]) AS month,
       CASE WHEN l.billed <> l.credited THEN 'credit'
            WHEN s.hold IS NOT NULL THEN 'held' ELSE 'open' END AS kind,
       count(DISTINCT l.sale_id) AS sales, sum(l.due)::bigint AS amount
FROM sale_line AS l JOIN sale AS s USING (environment, sale_id)
WHERE l.environment = $1 AND l.due <> 0 AND l.booked_at >= ($2::timestamptz[])[1]
  AND l.booked_at < ($2::timestamptz[])[cardinality($2::timestamptz[])]
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT $3;

-- name: sums
SELECT count(DISTINCT sale_id) AS count, coalesce(sum(due), 0)::bigint AS amount
FROM sale_line
WHERE environment = $1 AND due <> 0 AND ($2::text IS NULL OR account = $2);

-- name: due_of_account
-- The sales of an account of which something is due.
SELECT sale_id::text FROM sale_line
WHERE environment = $1 AND account = $2 AND due <> 0
GROUP BY sale_id ORDER BY min(booked_at), sale_id LIMIT $3;

-- name: facts
-- Sales with what became of them. `numbers` are the invoices on which something of it stands, or
-- else all that it ever stood on.
SELECT s.sale_id::text, s.account, s.booked_at, s.total, s.reversed, s.hold IS NOT NULL AS held,
       l.billed, l.credited, l.due,
       (SELECT r.reason FROM reversal AS r
        WHERE (r.environment, r.sale_id) = (s.environment, s.sale_id) AND r.amount > 0
        ORDER BY r.decided_at DESC, r.cancellation_id LIMIT 1) AS reason,
       (SELECT m.to_account FROM moved_sale AS m
        WHERE (m.environment, m.sale_id) = (s.environment, s.sale_id) AND m.to_account IS NOT NULL
        LIMIT 1) AS moved_to,
       coalesce((SELECT array_agg(DISTINCT i.number ORDER BY i.number)
        FROM invoice_line AS il JOIN invoice AS i USING (environment, invoice_id)
        WHERE (il.environment, il.sale_id) = (s.environment, s.sale_id) AND i.number IS NOT NULL
          AND (il.amount <> il.credited OR l.billed = l.credited)), '{}') AS numbers
FROM sale AS s
JOIN LATERAL (
    SELECT coalesce(sum(x.billed), 0)::bigint AS billed,
           coalesce(sum(x.credited), 0)::bigint AS credited,
           coalesce(sum(x.due), 0)::bigint AS due
    FROM sale_line AS x WHERE (x.environment, x.sale_id) = (s.environment, s.sale_id)) AS l ON true
WHERE s.environment = $1 AND s.sale_id = ANY($2::uuid[])
ORDER BY s.booked_at, s.sale_id;

-- name: mails_waiting
-- Mails to guests that have no fate yet, the oldest first; `all` counts those beyond the limit too.
SELECT i.invoice_id::text, c.credit_note_id::text, coalesce(c.number, i.number) AS number, i.account,
       m.recipient, m.created_at, m.attempts, m.code, m.said, count(*) OVER () AS all
FROM mail AS m
LEFT JOIN credit_note AS c ON c.environment = m.environment
    AND c.credit_note_id = CASE WHEN m.kind = 'credit_note' THEN m.ref::uuid END
JOIN invoice AS i ON i.environment = m.environment
    AND i.invoice_id = CASE m.kind WHEN 'invoice' THEN m.ref::uuid ELSE c.invoice_id END
WHERE m.environment = $1 AND m.state = 'pending' AND NOT m.copy
  AND m.kind IN ('invoice', 'credit_note')
ORDER BY m.created_at, number, m.recipient LIMIT $2;

-- name: finance_mails_failed
-- The last of finance's own mails that failed at its address ($2), and how many did since one arrived.
-- Which ones arrived is only looked for where any failed: it is all mails that were ever sent.
WITH failed AS MATERIALIZED (
    SELECT m.mail_id, m.kind, m.recipient, m.ended_at, m.code, m.said
    FROM mail AS m
    WHERE m.environment = $1 AND m.state = 'failed' AND m.recipient = $2
      AND (m.copy OR m.kind = 'report')
), arrived AS MATERIALIZED (
    SELECT max(later.ended_at) AS at FROM mail AS later
    WHERE later.environment = $1 AND later.recipient = $2 AND later.state = 'sent'
      AND EXISTS (SELECT FROM failed)
)
SELECT f.kind, f.recipient, f.ended_at, f.code, f.said, count(*) OVER () AS all
FROM failed AS f
WHERE f.ended_at > coalesce((SELECT at FROM arrived), '-infinity')
ORDER BY f.ended_at DESC, f.mail_id LIMIT 1;

-- name: declined
SELECT account, reason FROM declined_sale WHERE environment = $1 AND sale_id = $2;
