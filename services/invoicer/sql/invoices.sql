-- name: find
SELECT invoice_id::text, version, account, period, run_id, send, status, number, drafted_on, issued_at,
       issued_on, due_on, currency, total, vat, credited, paid, letterhead, buyer, language,
       supplementary, vat_euro, exchange_rate::text, holder::text
FROM invoice WHERE environment = $1 AND invoice_id = ANY($2::uuid[]);

-- name: find_locked
-- Under its account's lock. Whoever calls has that already, unless the invoice was committed since the
-- accounts of a batch were locked; then it is waited for here. The invoice's own row is locked too, so
-- that it is read as it stands once the account is had, and not as when this statement began.
SELECT i.invoice_id::text, i.version, i.account, i.period, i.run_id, i.send, i.status, i.number, i.drafted_on,
       i.issued_at, i.issued_on, i.due_on, i.currency, i.total, i.vat, i.credited, i.paid, i.letterhead,
       i.buyer, i.language, i.supplementary, i.vat_euro, i.exchange_rate::text, i.holder::text
FROM invoice AS i JOIN account AS a ON (a.environment, a.account) = (i.environment, i.account)
WHERE i.environment = $1 AND i.invoice_id = $2
FOR UPDATE OF a FOR NO KEY UPDATE OF i;

-- name: drafts
SELECT invoice_id::text FROM invoice
WHERE environment = $1 AND account = ANY($2::text[]) AND period <= $3 AND status = 'draft';

-- name: where_they_are
-- The accounts of invoices that are named by id or by number.
SELECT i.environment, i.account
FROM unnest($1::int[], $2::uuid[], $3::text[]) AS u (environment, invoice_id, number)
JOIN invoice AS i ON i.environment = u.environment
    AND (i.invoice_id = u.invoice_id OR i.number = u.number);

-- name: by_number
SELECT invoice_id::text FROM invoice WHERE environment = $1 AND number = $2;

-- name: set_status
-- One version on, whatever changed. A status that stays as it was read ($6) is left as it is by now:
-- what became of its mail is noted without the account's lock.
UPDATE invoice SET version = version + 1, changed_at = now(), credited = $4, paid = $5,
    status = CASE WHEN $3 = $6 THEN status ELSE $3 END
WHERE environment = $1 AND invoice_id = $2;

-- name: mailed
-- The mails' fate shows where nothing later does: paid and credited stay.
UPDATE invoice SET version = version + 1, changed_at = now(), status = $3
WHERE environment = $1 AND invoice_id = ANY ($2::uuid[])
  AND status = ANY($4::text[]) AND status <> $3
RETURNING invoice_id::text;

-- name: items
-- An invoice's lines, with how much of each was credited since.
SELECT il.sale_id::text, il.line, l.vat_rate, il.amount, il.credited
FROM invoice_line AS il JOIN sale_line AS l USING (environment, sale_id, line)
WHERE il.environment = $1 AND il.invoice_id = $2 ORDER BY il.position;

-- name: invoice_lines
-- Of some invoices, as their documents show them; and whether they were ever credited. From each line
-- to its sale by the whole key: of tables that nobody analysed yet all of a venue's sales were read.
SELECT il.invoice_id::text, il.sale_id::text, l.booked_at, l.description, l.quantity, l.unit_price,
       l.vat_rate, il.amount, s.terminal, l.credited <> 0 AS was_credited
FROM invoice_line AS il
CROSS JOIN LATERAL (
    SELECT * FROM sale_line AS l
    WHERE (l.environment, l.sale_id, l.line) = (il.environment, il.sale_id, il.line) LIMIT 1) AS l
CROSS JOIN LATERAL (
    SELECT * FROM sale AS s
    WHERE (s.environment, s.sale_id) = (il.environment, il.sale_id) LIMIT 1) AS s
WHERE il.environment = $1 AND il.invoice_id = ANY ($2::uuid[]) ORDER BY il.invoice_id, il.position;

-- name: replaced
-- Which invoices these replace: of each line the last one that it stood on before. Only a line that
-- was credited can have stood on another. By number, for two may be issued in one moment. From row to
-- row by whole keys: joined, all of a venue's lines were read where no table was analysed yet.
SELECT DISTINCT il.invoice_id::text AS by_id, p.invoice_id::text, p.number, p.issued_on
FROM invoice_line AS il
CROSS JOIN LATERAL (
    SELECT l.credited FROM sale_line AS l
    WHERE (l.environment, l.sale_id, l.line) = (il.environment, il.sale_id, il.line) LIMIT 1) AS l
CROSS JOIN LATERAL (
    SELECT i.number FROM invoice AS i
    WHERE (i.environment, i.invoice_id) = (il.environment, il.invoice_id) LIMIT 1) AS i
LEFT JOIN LATERAL (
    SELECT n.year, n.seq FROM number AS n
    WHERE (n.environment, n.number) = (il.environment, i.number) LIMIT 1) AS own ON true
CROSS JOIN LATERAL (
    SELECT e.invoice_id, e.number, e.issued_on
    FROM invoice_line AS b
    CROSS JOIN LATERAL (
        SELECT * FROM invoice AS e
        WHERE (e.environment, e.invoice_id) = (b.environment, b.invoice_id) LIMIT 1) AS e
    CROSS JOIN LATERAL (
        SELECT n.year, n.seq FROM number AS n
        WHERE (n.environment, n.number) = (e.environment, e.number) LIMIT 1) AS n
    WHERE (b.environment, b.sale_id, b.line) = (il.environment, il.sale_id, il.line)
      AND b.invoice_id <> il.invoice_id
      AND (own.seq IS NULL OR (n.year, n.seq) < (own.year, own.seq))
    ORDER BY n.year DESC, n.seq DESC LIMIT 1) AS p
WHERE il.environment = $1 AND il.invoice_id = ANY ($2::uuid[]) AND l.credited <> 0
ORDER BY 1, p.issued_on, p.number;

-- name: credit_note_lines
SELECT cl.sale_id::text, l.booked_at, l.description, l.quantity, l.unit_price, l.vat_rate, cl.amount,
       s.terminal
FROM credit_line AS cl
JOIN sale_line AS l USING (environment, sale_id, line)
JOIN sale AS s USING (environment, sale_id)
WHERE cl.environment = $1 AND cl.credit_note_id = $2 ORDER BY cl.position;

-- name: credit_note
SELECT credit_note_id::text, invoice_id::text, account, number, issued_at, issued_on, currency, total,
       vat, frees, reason, letterhead, vat_euro, exchange_rate::text
FROM credit_note WHERE environment = $1 AND credit_note_id = $2;

-- name: surroundings
-- What documents show besides their own rows: who sold, by which clock, and what the account is called.
SELECT u.sha256, u.account, l.content AS letterhead, e.state ->> 'time_zone' AS time_zone,
       a.state ->> 'description' AS description
FROM unnest($2::bytea[], $3::text[]) AS u (sha256, account)
JOIN letterhead AS l ON l.environment = $1 AND l.sha256 = u.sha256
LEFT JOIN environment AS e ON e.environment = l.environment
LEFT JOIN account AS a ON (a.environment, a.account) = (l.environment, u.account);

-- name: states
-- Invoices as invoices.state tells them.
SELECT i.environment, i.invoice_id::text, i.version, i.account, i.period, i.status, i.number, i.currency,
       i.total, i.paid, i.credited, i.due_on, i.changed_at
FROM invoice AS i
JOIN unnest($1::int[], $2::uuid[]) AS u (environment, invoice_id)
  ON (i.environment, i.invoice_id) = (u.environment, u.invoice_id);

-- name: add_payment
INSERT INTO payment (environment, payment_id, invoice_id, amount, received_at, method, recorded_by, open,
    reverses)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: payment_left
-- What of a payment of this invoice was not undone yet.
SELECT (p.amount + coalesce((SELECT sum(r.amount) FROM payment AS r
        WHERE (r.environment, r.reverses) = (p.environment, p.payment_id)), 0))::bigint
FROM payment AS p
WHERE p.environment = $1 AND p.payment_id = $2 AND p.invoice_id = $3 AND p.amount > 0;

-- name: was_reversed
SELECT EXISTS (SELECT FROM payment
               WHERE environment = $1 AND invoice_id = $2 AND reverses IS NOT NULL);

-- name: delivery
-- How an invoice stands besides what is paid of it: as the guest's mails ended, where any did. One that
-- was to be mailed ($3) and has no mail had nobody to mail to.
SELECT coalesce(
    (SELECT state FROM mail
     WHERE environment = $1 AND kind = 'invoice' AND ref = $2 AND NOT copy AND state <> 'pending'
     ORDER BY (state = 'sent') DESC LIMIT 1),
    CASE WHEN $3 AND NOT EXISTS (
        SELECT FROM mail WHERE environment = $1 AND kind = 'invoice' AND ref = $2 AND NOT copy)
    THEN 'failed' END);
