-- name: invoices
-- All of them, drafts too: how each stands is told; what was issued is told as it was then.
SELECT i.invoice_id::text, i.account, i.period, i.number, i.issued_at, i.due_on, i.currency,
       i.total, i.vat, s.sales
FROM invoice AS i
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object('sale_id', sale_id, 'amount', amount)
                             ORDER BY position), '[]') AS sales
    FROM (SELECT l.sale_id, sum(l.amount)::bigint AS amount, min(l.position) AS position
          FROM invoice_line AS l
          WHERE (l.environment, l.invoice_id) = (i.environment, i.invoice_id)
          GROUP BY l.sale_id) AS of_a_sale) AS s
WHERE i.environment = $1 AND i.invoice_id > $2::uuid
ORDER BY i.invoice_id LIMIT $3;

-- name: credit_notes
SELECT c.credit_note_id::text, c.invoice_id::text, c.account, c.number, c.issued_at, c.currency,
       c.total, c.vat, c.frees, c.reason, s.sales
FROM credit_note AS c
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object('sale_id', sale_id, 'amount', amount)
                             ORDER BY position), '[]') AS sales
    FROM (SELECT l.sale_id, sum(l.amount)::bigint AS amount, min(l.position) AS position
          FROM credit_line AS l
          WHERE (l.environment, l.credit_note_id) = (c.environment, c.credit_note_id)
          GROUP BY l.sale_id) AS of_a_sale) AS s
WHERE c.environment = $1 AND c.credit_note_id > $2::uuid
ORDER BY c.credit_note_id LIMIT $3;

-- name: payments
-- What was paid back is below zero.
SELECT p.payment_id::text, p.invoice_id::text, i.number, i.account, i.currency, p.amount,
       p.received_at, p.method, p.open, p.reverses::text, p.recorded_at
FROM payment AS p
JOIN invoice AS i USING (environment, invoice_id)
WHERE p.environment = $1 AND p.payment_id > $2::uuid
ORDER BY p.payment_id LIMIT $3;
