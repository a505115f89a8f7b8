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
-- a discount stands below what it is given on. Account by account, each in its index, and from a
-- sale to its lines by the key: of all accounts together every sale that was ever made was read.
-- Left out are an account's sales up to $6 that stand on none of the invoices $7 and are to stand on
-- none: another's, who held it then.
WITH chosen AS MATERIALIZED (
    SELECT account FROM account WHERE environment = $1 AND ($2::text IS NULL OR account = $2)
), anothers AS MATERIALIZED (
    SELECT s.sale_id FROM sale AS s
    WHERE s.environment = $1 AND s.account = $2 AND s.booked_at <= $6 AND NOT EXISTS (
        SELECT FROM sale_line AS l WHERE (l.environment, l.sale_id) = (s.environment, s.sale_id) AND (
            l.due <> 0 AND l.billed = l.credited OR EXISTS (
                SELECT FROM invoice_line AS i
                WHERE (i.environment, i.sale_id, i.line) = (l.environment, l.sale_id, l.line)
                  AND i.invoice_id = ANY ($7::uuid[]))))
)
SELECT l.booked_at AS at, l.account, s.terminal, l.description, l.quantity, l.unit_price,
       l.vat_rate, l.approved AS amount, false AS back, s.sale_id::text, l.line AS place
FROM chosen AS c
CROSS JOIN LATERAL (
    SELECT s.sale_id, s.terminal FROM sale AS s
    WHERE s.environment = $1 AND s.account = c.account AND s.booked_at >= $3 AND s.booked_at < $4
    OFFSET 0) AS s
CROSS JOIN LATERAL (
    SELECT l.* FROM sale_line AS l WHERE l.environment = $1 AND l.sale_id = s.sale_id OFFSET 0) AS l
WHERE NOT EXISTS (SELECT FROM anothers AS a WHERE a.sale_id = s.sale_id)
UNION ALL
SELECT r.decided_at, r.account, s.terminal, x.description, x.quantity, x.unit_price,
       x.vat_rate, -x.total, true, s.sale_id::text, x.place
FROM chosen AS c
CROSS JOIN LATERAL (
    SELECT r.* FROM reversal AS r
    WHERE r.environment = $1 AND r.account = c.account AND r.decided_at >= $3 AND r.decided_at < $4
    OFFSET 0) AS r
CROSS JOIN LATERAL (
    SELECT s.sale_id, s.terminal FROM sale AS s
    WHERE s.environment = r.environment AND s.sale_id = r.sale_id OFFSET 0) AS s
CROSS JOIN ROWS FROM (jsonb_to_recordset(r.lines)
    AS (description text, quantity text, unit_price bigint, vat_rate text, total bigint))
    WITH ORDINALITY AS x (description, quantity, unit_price, vat_rate, total, place)
WHERE NOT EXISTS (SELECT FROM anothers AS a WHERE a.sale_id = s.sale_id)
ORDER BY account, at, sale_id, back, place LIMIT $5;

-- name: made_out
-- Whom an account's invoices were made out to.
SELECT invoice_id::text, holder::text, buyer FROM invoice
WHERE environment = $1 AND account = $2 AND number IS NOT NULL;

-- name: anothers_until
-- Up to when what was sold may be another's: the last of what these invoices billed, or, where that is
-- known and later, when the account changed hands.
SELECT greatest(held_since, (
    SELECT max(l.booked_at) FROM invoice_line AS i
    JOIN sale_line AS l USING (environment, sale_id, line)
    WHERE i.environment = $1 AND i.invoice_id = ANY ($3::uuid[])))
FROM account WHERE environment = $1 AND account = $2;
