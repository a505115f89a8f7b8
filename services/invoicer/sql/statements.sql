-- name: keep
INSERT INTO statement (
    environment, statement_id, account, holder, language, first, until, currency, total, asked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING;

-- name: cover
SELECT account, holder, language, first, until, currency, total FROM statement
WHERE environment = $1 AND statement_id = $2;

-- name: asked
-- Whose account it is of, and the id of the request that it answers.
SELECT account, coalesce(asked, statement_id)::text AS asked FROM statement
WHERE environment = $1 AND statement_id = $2;

-- name: rows
-- What was sold and what was taken back in a period, as it happened and in the order of the till:
-- a discount stands below what it is given on.
SELECT l.booked_at AS at, l.account, s.terminal, l.description, l.quantity, l.unit_price,
       l.vat_rate, l.approved AS amount, false AS back, s.sale_id::text, l.line AS place
FROM sale AS s JOIN sale_line AS l USING (environment, sale_id)
WHERE s.environment = $1 AND ($2::text IS NULL OR s.account = $2)
  AND s.booked_at >= $3 AND s.booked_at < $4
UNION ALL
SELECT r.decided_at, r.account, s.terminal, x.description, x.quantity, x.unit_price,
       x.vat_rate, -x.total, true, s.sale_id::text, x.place
FROM reversal AS r
JOIN sale AS s USING (environment, sale_id)
CROSS JOIN ROWS FROM (jsonb_to_recordset(r.lines)
    AS (description text, quantity text, unit_price bigint, vat_rate text, total bigint))
    WITH ORDINALITY AS x (description, quantity, unit_price, vat_rate, total, place)
WHERE r.environment = $1 AND ($2::text IS NULL OR r.account = $2)
  AND r.decided_at >= $3 AND r.decided_at < $4
ORDER BY account, at, sale_id, back, place LIMIT $5;
