-- name: invoices_of
-- Each id that was told with its row, if it has one; `place` counts the given ones from 1.
SELECT asked.place, i.ctid, i.invoice_id::text, i.account, i.number, i.currency, i.period, i.due_on,
       i.total, i.vat
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, invoice_id, place)
LEFT JOIN invoice AS i ON (i.environment, i.invoice_id) = (asked.environment, asked.invoice_id)
    AND i.number IS NOT NULL;

-- name: invoices_in_place
-- `late` tells which have waited too long to be on their way still.
SELECT ctid, environment, invoice_id::text AS id, number, issued_at < now() - $2::interval AS late
FROM invoice WHERE number IS NOT NULL AND ($1::int IS NULL OR environment = $1);

-- name: credit_notes_of
SELECT asked.place, c.ctid, c.invoice_id::text, c.account, c.number, c.currency, c.frees, c.total, c.vat
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, credit_note_id, place)
LEFT JOIN credit_note AS c
    ON (c.environment, c.credit_note_id) = (asked.environment, asked.credit_note_id);

-- name: credit_notes_in_place
SELECT ctid, environment, credit_note_id::text AS id, number,
       issued_at < now() - $2::interval AS late
FROM credit_note WHERE $1::int IS NULL OR environment = $1;

-- name: payments_of
SELECT asked.place, p.ctid, p.invoice_id::text, i.account, i.number, i.currency, p.amount, p.open
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, payment_id, place)
LEFT JOIN payment AS p ON (p.environment, p.payment_id) = (asked.environment, asked.payment_id)
    AND p.amount > 0
LEFT JOIN invoice AS i ON (i.environment, i.invoice_id) = (p.environment, p.invoice_id);

-- name: payments_in_place
SELECT p.ctid, p.environment, p.payment_id::text AS id, i.number,
       p.recorded_at < now() - $2::interval AS late
FROM payment AS p JOIN invoice AS i USING (environment, invoice_id)
WHERE p.amount > 0 AND ($1::int IS NULL OR p.environment = $1);

-- name: refunds_of
-- What was paid back is below zero.
SELECT asked.place, p.ctid, p.invoice_id::text, i.account, i.number, i.currency,
       -p.amount AS amount, p.open
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, payment_id, place)
LEFT JOIN payment AS p ON (p.environment, p.payment_id) = (asked.environment, asked.payment_id)
    AND p.amount < 0
LEFT JOIN invoice AS i ON (i.environment, i.invoice_id) = (p.environment, p.invoice_id);

-- name: refunds_in_place
SELECT p.ctid, p.environment, p.payment_id::text AS id, i.number,
       p.recorded_at < now() - $2::interval AS late
FROM payment AS p JOIN invoice AS i USING (environment, invoice_id)
WHERE p.amount < 0 AND ($1::int IS NULL OR p.environment = $1);

-- name: states_of
SELECT asked.place, i.ctid, i.version, i.account, i.period, i.status, i.number, i.currency, i.total,
       i.paid, nullif(i.credited, 0) AS credited, i.due_on
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, invoice_id, place)
LEFT JOIN invoice AS i ON (i.environment, i.invoice_id) = (asked.environment, asked.invoice_id);

-- name: states_in_place
SELECT ctid, environment, coalesce(number, 'draft ' || invoice_id) AS number, version,
       changed_at < now() - $2::interval AS late
FROM invoice WHERE $1::int IS NULL OR environment = $1;
