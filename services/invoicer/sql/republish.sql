-- name: invoices
-- All of them, drafts too: how each stands is told; what was issued is told as it was then.
-- So many as have $4 lines before the last of them: a document's last position tells how many it has.
WITH following AS (
    SELECT d.invoice_id, coalesce((
        SELECT max(l.position) + 1 FROM invoice_line AS l
        WHERE (l.environment, l.invoice_id) = (d.environment, d.invoice_id)), 0) AS lines
    FROM invoice AS d WHERE d.environment = $1 AND d.invoice_id > $2::uuid
    ORDER BY d.invoice_id LIMIT $3),
fitting AS (
    SELECT invoice_id, sum(lines) OVER (ORDER BY invoice_id) - lines AS before FROM following)
SELECT i.invoice_id::text, i.account, i.period, i.number, i.issued_at, i.due_on, i.currency,
       i.total, i.vat, s.sales
FROM fitting AS f JOIN invoice AS i USING (invoice_id)
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object('sale_id', sale_id, 'amount', amount)
                             ORDER BY position), '[]') AS sales
    FROM (SELECT l.sale_id, sum(l.amount)::bigint AS amount, min(l.position) AS position
          FROM invoice_line AS l
          WHERE (l.environment, l.invoice_id) = (i.environment, i.invoice_id)
          GROUP BY l.sale_id) AS of_a_sale) AS s
WHERE i.environment = $1 AND f.before < $4
ORDER BY i.invoice_id;

-- name: asked_back
-- What was asked of the authorizer and has not come back: that sales be taken off their account.
SELECT topic, key, ce_id, ce_type, ce_time, value FROM answer
WHERE environment = $1 AND kind = 'command' AND topic = 'pos.sales' AND ce_id IN (
    SELECT 'sale.cancelled/' || environment || '/' || hold
    FROM sale WHERE environment = $1 AND hold IS NOT NULL)
ORDER BY ce_id;

-- name: credit_notes
WITH following AS (
    SELECT d.credit_note_id, coalesce((
        SELECT max(l.position) + 1 FROM credit_line AS l
        WHERE (l.environment, l.credit_note_id) = (d.environment, d.credit_note_id)), 0) AS lines
    FROM credit_note AS d WHERE d.environment = $1 AND d.credit_note_id > $2::uuid
    ORDER BY d.credit_note_id LIMIT $3),
fitting AS (
    SELECT credit_note_id, sum(lines) OVER (ORDER BY credit_note_id) - lines AS before FROM following)
SELECT c.credit_note_id::text, c.invoice_id::text, c.account, c.number, c.issued_at, c.currency,
       c.total, c.vat, c.frees, c.reason, s.sales
FROM fitting AS f JOIN credit_note AS c USING (credit_note_id)
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object('sale_id', sale_id, 'amount', amount)
                             ORDER BY position), '[]') AS sales
    FROM (SELECT l.sale_id, sum(l.amount)::bigint AS amount, min(l.position) AS position
          FROM credit_line AS l
          WHERE (l.environment, l.credit_note_id) = (c.environment, c.credit_note_id)
          GROUP BY l.sale_id) AS of_a_sale) AS s
WHERE c.environment = $1 AND f.before < $4
ORDER BY c.credit_note_id;

-- name: payments
-- What was paid back is below zero.
SELECT p.payment_id::text, p.invoice_id::text, i.number, i.account, i.currency, p.amount,
       p.received_at, p.method, p.open, p.reverses::text, p.recorded_at
FROM payment AS p
JOIN invoice AS i USING (environment, invoice_id)
WHERE p.environment = $1 AND p.payment_id > $2::uuid
ORDER BY p.payment_id LIMIT $3;
