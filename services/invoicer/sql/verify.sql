-- name: series
-- Each series with its register: how many numbers, the last, and what the counter says.
SELECT s.environment, s.series, s.year, s.last_seq,
       count(n.seq) AS numbers, coalesce(max(n.seq), 0) AS greatest,
       count(*) FILTER (WHERE n.kind = 'invoice') AS invoices,
       count(*) FILTER (WHERE n.kind = 'credit_note') AS credit_notes
FROM series AS s LEFT JOIN number AS n USING (environment, series, year)
WHERE $1::int IS NULL OR s.environment = $1
GROUP BY s.environment, s.series, s.year, s.last_seq ORDER BY 1, 2, 3;

-- name: unknown
-- The environment that is asked for, where it is not here: that nothing is wrong would say nothing.
SELECT $1::int AS environment, 'register' AS number, 'there is no such environment' AS problem
WHERE $1::int IS NOT NULL AND NOT EXISTS (SELECT FROM environment WHERE environment = $1);

-- name: gaps
-- Numbers without the one before them, or dated before it.
SELECT n.environment, n.number,
       CASE WHEN p.seq IS NULL THEN 'the number before it is missing'
            ELSE 'it is dated before the number before it' END AS problem
FROM number AS n
LEFT JOIN number AS p
  ON (p.environment, p.series, p.year, p.seq) = (n.environment, n.series, n.year, n.seq - 1)
WHERE ($1::int IS NULL OR n.environment = $1)
  AND ((p.seq IS NULL AND n.seq > 1) OR n.issued_on < p.issued_on OR n.issued_at < p.issued_at)
ORDER BY 1, 2;

-- name: strays
-- Numbers without their document, and the other way round.
SELECT n.environment, n.number, 'the register has no document for it' AS problem
FROM number AS n
LEFT JOIN invoice AS i ON (i.environment, i.invoice_id, i.number) = (n.environment, n.document_id, n.number)
LEFT JOIN credit_note AS c
  ON (c.environment, c.credit_note_id, c.number) = (n.environment, n.document_id, n.number)
WHERE ($1::int IS NULL OR n.environment = $1) AND i.number IS NULL AND c.number IS NULL
ORDER BY 1, 2;

-- name: documents
-- Every numbered document with the gross per rate of its lines.
SELECT d.environment, d.number, d.kind, d.total, d.vat, d.currency, d.vat_euro,
       d.exchange_rate::text,
       coalesce((SELECT jsonb_object_agg(g.vat_rate, g.gross) FROM (
            SELECT l.vat_rate, sum(x.amount)::bigint AS gross
            FROM (SELECT il.sale_id, il.line, il.amount FROM invoice_line AS il
                  WHERE d.kind = 'invoice' AND (il.environment, il.invoice_id) = (d.environment, d.id)
                  UNION ALL
                  SELECT cl.sale_id, cl.line, cl.amount FROM credit_line AS cl
                  WHERE d.kind = 'credit_note'
                    AND (cl.environment, cl.credit_note_id) = (d.environment, d.id)) AS x
            JOIN sale_line AS l ON (l.environment, l.sale_id, l.line) = (d.environment, x.sale_id, x.line)
            GROUP BY l.vat_rate) AS g), '{}') AS gross
FROM (SELECT environment, invoice_id AS id, number, 'invoice' AS kind, total, vat,
             currency, vat_euro, exchange_rate
      FROM invoice WHERE number IS NOT NULL
      UNION ALL
      SELECT environment, credit_note_id, number, 'credit_note', total, vat, currency, vat_euro,
             exchange_rate FROM credit_note) AS d
WHERE ($1::int IS NULL OR d.environment = $1)
  AND (d.environment, d.number) > ($2::int, $3::text)
ORDER BY d.environment, d.number LIMIT $4;

-- name: lines
-- Sale lines whose sums are not what invoices and credit notes say.
SELECT l.environment, l.sale_id::text AS number, 'billed or credited is not what documents say' AS problem
FROM sale_line AS l
LEFT JOIN LATERAL (
    SELECT sum(il.amount) AS billed, sum(il.credited) AS taken FROM invoice_line AS il
    JOIN invoice AS i USING (environment, invoice_id)
    WHERE (il.environment, il.sale_id, il.line) = (l.environment, l.sale_id, l.line)
      AND i.number IS NOT NULL) AS b ON true
LEFT JOIN LATERAL (
    SELECT sum(cl.amount) AS credited FROM credit_line AS cl
    WHERE (cl.environment, cl.sale_id, cl.line) = (l.environment, l.sale_id, l.line)) AS c ON true
WHERE ($1::int IS NULL OR l.environment = $1)
  AND (l.billed <> coalesce(b.billed, 0) OR l.credited <> coalesce(c.credited, 0)
       OR coalesce(b.taken, 0) <> coalesce(c.credited, 0))
ORDER BY 1, 2 LIMIT 1000;

-- name: alone
-- Sale lines without their sale, sales without their account: no foreign key sees to it (0020).
SELECT l.environment, l.sale_id::text AS number, 'a line of it is there without the sale' AS problem
FROM sale_line AS l LEFT JOIN sale AS s USING (environment, sale_id)
WHERE ($1::int IS NULL OR l.environment = $1) AND s.sale_id IS NULL
UNION ALL
SELECT s.environment, s.sale_id::text, 'its account ' || s.account || ' is not there'
FROM sale AS s LEFT JOIN account AS a USING (environment, account)
WHERE ($1::int IS NULL OR s.environment = $1) AND a.account IS NULL
ORDER BY 1, 2, 3 LIMIT 1000;

-- name: sums
-- Invoices whose credited or paid sums are not what credit notes and payments say.
SELECT i.environment, coalesce(i.number, i.invoice_id::text) AS number,
       'its credited or paid sum is not what credit notes and payments say' AS problem
FROM invoice AS i
WHERE ($1::int IS NULL OR i.environment = $1)
  AND (i.credited <> coalesce((SELECT sum(c.total) FROM credit_note AS c
            WHERE (c.environment, c.invoice_id) = (i.environment, i.invoice_id)), 0)
    OR i.paid <> coalesce((SELECT sum(p.amount) FROM payment AS p
            WHERE (p.environment, p.invoice_id) = (i.environment, i.invoice_id)), 0))
ORDER BY 1, 2 LIMIT 1000;
