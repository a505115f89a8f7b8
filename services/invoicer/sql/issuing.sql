-- name: open_lines
-- What is due on these accounts, sold before a moment. Read under the accounts' locks.
SELECT l.account, l.sale_id::text, l.line, l.booked_at, l.vat_rate, l.approved, l.reversed,
       l.billed, l.credited, s.hold IS NOT NULL AS held
FROM sale_line AS l JOIN sale AS s USING (environment, sale_id)
WHERE l.environment = $1 AND l.account = ANY($2::text[]) AND l.booked_at < $3 AND l.due <> 0
  AND ($4::uuid[] IS NULL OR l.sale_id = ANY($4::uuid[]))
ORDER BY l.account, l.booked_at, l.sale_id, l.line;

-- name: billed_on
-- The one invoice on which each of these lines stands uncredited.
SELECT il.sale_id::text, il.line, il.invoice_id::text
FROM invoice_line AS il
JOIN unnest($2::uuid[], $3::int[]) AS u (sale_id, line)
  ON (il.sale_id, il.line) = (u.sale_id, u.line)
JOIN invoice AS i USING (environment, invoice_id)
WHERE il.environment = $1 AND i.number IS NOT NULL AND il.amount <> il.credited;

-- name: begin_series
INSERT INTO series (environment, series, year, last_issued_at, last_issued_on)
SELECT $1, unnest($2::text[]), $3, $4, $5 ON CONFLICT DO NOTHING;

-- name: lock_series
-- Whoever gives numbers waits here; what is rolled back was never given.
SELECT series, last_seq, last_issued_at, last_issued_on FROM series
WHERE environment = $1 AND series = ANY($2::text[]) AND year = $3
ORDER BY series FOR UPDATE;

-- name: count_series
UPDATE series AS s SET last_seq = u.last_seq, last_issued_at = $5, last_issued_on = $6
FROM unnest($2::text[], $4::int[]) AS u (series, last_seq)
WHERE s.environment = $1 AND s.series = u.series AND s.year = $3;

-- name: last_numbers
-- The last number of each series of a year.
SELECT s.series, s.last_seq, n.number FROM series AS s
LEFT JOIN number AS n ON (n.environment, n.series, n.year, n.seq)
    = (s.environment, s.series, s.year, s.last_seq)
WHERE s.environment = $1 AND s.year = $2;

-- name: number_ahead
-- A number that was given already and that a format is still to write: $2 reads it, its groups $3
-- and $4 are year and sequence, and $6 was the last sequence of the year $5.
SELECT n.number FROM number AS n
CROSS JOIN LATERAL regexp_match(n.number, $2) AS m (parts)
WHERE n.environment = $1 AND m.parts IS NOT NULL
  AND (m.parts[$3::int]::numeric > $5::int
       OR m.parts[$3::int]::numeric = $5::int AND m.parts[$4::int]::numeric > $6::int)
ORDER BY n.number LIMIT 1;

-- name: numbers_taken
SELECT number FROM number WHERE environment = $1 AND number = ANY($2::text[]);

-- name: add_numbers
INSERT INTO number (environment, series, year, seq, number, kind, document_id, issued_at, issued_on)
SELECT $1, u.series, $3, u.seq, u.number, u.kind, u.document_id, $8, $9
FROM unnest($2::text[], $4::int[], $5::text[], $6::text[], $7::uuid[])
    AS u (series, seq, number, kind, document_id);

-- name: add_letterhead
INSERT INTO letterhead (environment, sha256, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: put_invoices
-- New drafts and issued invoices; a draft that is approved becomes the issued one.
INSERT INTO invoice AS i (environment, invoice_id, account, period, run_id, send, status, number,
    drafted_on, issued_at, issued_on, due_on, currency, total, vat, letterhead, buyer, language,
    supplementary, vat_euro, exchange_rate, holder)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[],
    $8::text[], $9::date[], $10::timestamptz[], $11::date[], $12::date[], $13::text[],
    $14::bigint[], $15::jsonb[], $16::bytea[], $17::jsonb[], $18::text[], $19::boolean[],
    $20::bigint[], $21::text[]::numeric[], $22::uuid[])
ON CONFLICT (environment, invoice_id) DO UPDATE SET
    version = i.version + 1, changed_at = now(), status = excluded.status, number = excluded.number,
    issued_at = excluded.issued_at, issued_on = excluded.issued_on, due_on = excluded.due_on,
    total = excluded.total, vat = excluded.vat, letterhead = excluded.letterhead,
    buyer = excluded.buyer, language = excluded.language, supplementary = excluded.supplementary,
    vat_euro = excluded.vat_euro, exchange_rate = excluded.exchange_rate,
    holder = excluded.holder
WHERE i.status = 'draft';

-- name: add_invoice_lines
INSERT INTO invoice_line (environment, invoice_id, position, sale_id, line, amount)
SELECT $1, * FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::int[], $6::bigint[]);

-- name: drop_draft_lines
DELETE FROM invoice_line AS l USING invoice AS i
WHERE (i.environment, i.invoice_id) = (l.environment, l.invoice_id) AND i.status = 'draft'
  AND l.environment = $1 AND l.invoice_id = $2;

-- name: bill_lines
-- Whether any of them stood on an invoice before, which was credited.
WITH billed AS (
    UPDATE sale_line AS l SET billed = l.billed + u.amount
    FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS u (sale_id, line, amount)
    WHERE l.environment = $1 AND (l.sale_id, l.line) = (u.sale_id, u.line)
    RETURNING l.credited)
SELECT count(*) FILTER (WHERE credited <> 0) > 0 FROM billed;

-- name: credit_lines
UPDATE sale_line AS l SET credited = l.credited + u.amount
FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS u (sale_id, line, amount)
WHERE l.environment = $1 AND (l.sale_id, l.line) = (u.sale_id, u.line);

-- name: credit_invoice_lines
UPDATE invoice_line AS l SET credited = l.credited + u.amount
FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[]) AS u (invoice_id, sale_id, line, amount)
WHERE l.environment = $1 AND (l.invoice_id, l.sale_id, l.line) = (u.invoice_id, u.sale_id, u.line);

-- name: add_credit_notes
INSERT INTO credit_note (environment, credit_note_id, invoice_id, run_id, account, number,
    issued_at, issued_on, currency, total, vat, frees, reason, letterhead, vat_euro, exchange_rate)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $14::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::date[], $8::text[], $9::bigint[], $10::jsonb[], $11::boolean[], $12::text[], $13::bytea[],
    $15::bigint[], $16::text[]::numeric[]);

-- name: add_credit_lines
INSERT INTO credit_line (environment, credit_note_id, position, sale_id, line, amount)
SELECT $1, * FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::int[], $6::bigint[]);

-- name: months_invoiced
-- For which months these accounts have an invoice that stands.
SELECT DISTINCT account, period FROM invoice
WHERE environment = $1 AND account = ANY($2::text[])
  AND status IN ('issued', 'sent', 'undeliverable', 'paid');
