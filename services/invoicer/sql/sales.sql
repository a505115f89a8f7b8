-- name: add_sales
-- Those that are not there yet, and their lines, each of which says the place of its sale among
-- them: so no line is ever there without its sale.
WITH given AS MATERIALIZED (
    SELECT *
    FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[],
                $7::bigint[]) WITH ORDINALITY
         AS u (environment, sale_id, account, terminal, booked_at, currency, total, place)
), added AS (
    INSERT INTO sale (environment, sale_id, account, terminal, booked_at, currency, total)
    SELECT environment, sale_id, account, terminal, booked_at, currency, total
    FROM given
    ORDER BY environment, sale_id
    ON CONFLICT DO NOTHING
    RETURNING environment, sale_id
)
INSERT INTO sale_line (environment, sale_id, line, account, booked_at, description, product,
                       quantity, unit_price, vat_rate, approved)
SELECT g.environment, g.sale_id, l.line, g.account, g.booked_at, l.description, l.product,
       l.quantity, l.unit_price, l.vat_rate, l.approved
FROM added
JOIN given AS g USING (environment, sale_id)
JOIN unnest($8::bigint[], $9::int[], $10::text[], $11::text[], $12::text[], $13::bigint[],
            $14::text[], $15::bigint[])
     AS l (place, line, description, product, quantity, unit_price, vat_rate, approved)
     USING (place);

-- name: add_reversals
INSERT INTO reversal (environment, cancellation_id, sale_id, account, amount, decided_at, lines,
                      reason)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[],
                     $6::timestamptz[], $7::jsonb[], $8::text[])
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: add_declined
INSERT INTO declined_sale (environment, sale_id, account, reason, decided_at)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
ORDER BY 1, 2, 5
ON CONFLICT DO NOTHING;

-- name: waiting_reversals
-- Reversals of these sales that were not applied and whose sale is there.
SELECT r.environment, r.cancellation_id::text, r.sale_id::text, r.lines
FROM reversal AS r
JOIN unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
  ON (r.environment, r.sale_id) = (u.environment, u.sale_id)
JOIN sale AS s ON (s.environment, s.sale_id) = (r.environment, r.sale_id)
WHERE NOT r.applied
ORDER BY r.environment, r.sale_id, r.cancellation_id;

-- name: sold_lines
SELECT l.environment, l.sale_id::text, l.line, l.description, l.product, l.quantity, l.unit_price,
       l.vat_rate, l.approved, l.reversed
FROM sale_line AS l
JOIN unnest($1::int[], $2::uuid[]) AS u (environment, sale_id)
  ON (l.environment, l.sale_id) = (u.environment, u.sale_id)
ORDER BY l.environment, l.sale_id, l.line;

-- name: set_reversed
UPDATE sale_line AS l SET reversed = u.reversed
FROM unnest($1::int[], $2::uuid[], $3::int[], $4::bigint[]) AS u (environment, sale_id, line, reversed)
WHERE (l.environment, l.sale_id, l.line) = (u.environment, u.sale_id, u.line);

-- name: sum_reversed
UPDATE sale AS s SET reversed = u.reversed
FROM unnest($1::int[], $2::uuid[], $3::bigint[]) AS u (environment, sale_id, reversed)
WHERE (s.environment, s.sale_id) = (u.environment, u.sale_id);

-- name: reversals_applied
UPDATE reversal AS r SET applied = true
FROM unnest($1::int[], $2::uuid[]) AS u (environment, cancellation_id)
WHERE (r.environment, r.cancellation_id) = (u.environment, u.cancellation_id);

-- name: moved_sales
-- Which of these cancellations came from a correction of ours.
SELECT m.environment, m.cancellation_id::text, m.sale_id::text, m.new_sale_id::text, m.to_account,
       s.terminal, s.booked_at, s.currency
FROM moved_sale AS m
JOIN unnest($1::int[], $2::uuid[]) AS u (environment, cancellation_id)
  ON (m.environment, m.cancellation_id) = (u.environment, u.cancellation_id)
JOIN sale AS s ON (s.environment, s.sale_id) = (m.environment, m.sale_id)
ORDER BY m.environment, m.cancellation_id;

-- name: hold
UPDATE sale AS s SET hold = u.cancellation_id
FROM unnest($2::uuid[], $3::uuid[]) AS u (sale_id, cancellation_id)
WHERE s.environment = $1 AND s.sale_id = u.sale_id;

-- name: release
UPDATE sale AS s SET hold = NULL
FROM unnest($1::int[], $2::uuid[]) AS u (environment, cancellation_id)
WHERE s.environment = u.environment AND s.hold = u.cancellation_id;

-- name: add_moved
INSERT INTO moved_sale (environment, cancellation_id, sale_id, new_sale_id, to_account)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]);

-- name: terminals
SELECT sale_id::text, terminal FROM sale WHERE environment = $1 AND sale_id = ANY($2::uuid[]);
