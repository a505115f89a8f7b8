-- name: unknown
-- The environment that is asked for, where it is not here: that nothing is wrong would say nothing.
SELECT $1::int AS environment, 'registry' AS what, 'there is no such environment' AS problem
WHERE $1::int IS NOT NULL AND NOT EXISTS (SELECT FROM environment WHERE environment = $1);

-- name: counted
SELECT (SELECT count(*) FROM account WHERE $1::int IS NULL OR environment = $1) AS accounts,
       (SELECT count(*) FROM sale WHERE state = 'approved' AND ($1::int IS NULL OR environment = $1))
           AS sales;

-- name: sums
-- Each account's six sums, worked out again from its sales and from what was invoiced and paid.
SELECT a.environment, a.account AS what, a.approved, a.reversed, a.issued, a.credited, a.paid, a.refunded,
       coalesce(s.approved, 0)::bigint AS of_approved, coalesce(s.reversed, 0)::bigint AS of_reversed,
       coalesce(e.issued, 0)::bigint AS of_issued, coalesce(e.credited, 0)::bigint AS of_credited,
       coalesce(e.paid, 0)::bigint AS of_paid, coalesce(e.refunded, 0)::bigint AS of_refunded
FROM account AS a
LEFT JOIN (
    SELECT environment, account, sum(total) AS approved, sum(reversed) AS reversed
    FROM sale WHERE state = 'approved' AND ($1::int IS NULL OR environment = $1)
    GROUP BY environment, account) AS s
  ON (s.environment, s.account) = (a.environment, a.account)
LEFT JOIN (
    SELECT environment, account,
           sum(amount) FILTER (WHERE kind = 'issued') AS issued,
           sum(amount) FILTER (WHERE kind = 'credited') AS credited,
           sum(amount) FILTER (WHERE kind = 'paid') AS paid,
           sum(amount) FILTER (WHERE kind = 'refunded') AS refunded
    FROM invoice_effect WHERE $1::int IS NULL OR environment = $1
    GROUP BY environment, account) AS e
  ON (e.environment, e.account) = (a.environment, a.account)
WHERE ($1::int IS NULL OR a.environment = $1)
  AND (a.approved, a.reversed, a.issued, a.credited, a.paid, a.refunded) IS DISTINCT FROM
      (coalesce(s.approved, 0), coalesce(s.reversed, 0), coalesce(e.issued, 0), coalesce(e.credited, 0),
       coalesce(e.paid, 0), coalesce(e.refunded, 0))
ORDER BY 1, 2 LIMIT 1000;

-- name: reversals
-- Approved sales of which something else is noted as taken back than their reversals say.
SELECT s.environment, s.sale_id::text AS what,
       'what is taken back of it is not what its reversals say' AS problem
FROM sale AS s
LEFT JOIN (
    SELECT environment, sale_id, sum(amount) AS amount
    FROM cancellation WHERE type = 'sale.reversed' AND ($1::int IS NULL OR environment = $1)
    GROUP BY environment, sale_id) AS c
  ON (c.environment, c.sale_id) = (s.environment, s.sale_id)
WHERE s.state = 'approved' AND ($1::int IS NULL OR s.environment = $1)
  AND s.reversed <> coalesce(c.amount, 0)
ORDER BY 1, 2 LIMIT 1000;

-- name: alone
-- Sales without their account, accounts without their holder or environment, and the like: no
-- foreign key sees to some of these (0111).
SELECT s.environment, s.sale_id::text AS what, 'its account ' || s.account || ' is not there' AS problem
FROM sale AS s LEFT JOIN account AS a ON (a.environment, a.account) = (s.environment, s.account)
WHERE s.state = 'approved' AND ($1::int IS NULL OR s.environment = $1) AND a.account IS NULL
UNION ALL
SELECT a.environment, a.account, 'its holder ' || a.holder || ' is not there'
FROM account AS a LEFT JOIN customer AS c ON (c.environment, c.customer_id) = (a.environment, a.holder)
WHERE a.holder IS NOT NULL AND ($1::int IS NULL OR a.environment = $1) AND c.customer_id IS NULL
UNION ALL
SELECT a.environment, a.account, 'its environment is not there'
FROM account AS a LEFT JOIN environment AS e ON e.environment = a.environment
WHERE ($1::int IS NULL OR a.environment = $1) AND e.environment IS NULL
UNION ALL
SELECT c.environment, c.customer_id::text, 'its environment is not there'
FROM customer AS c LEFT JOIN environment AS e ON e.environment = c.environment
WHERE ($1::int IS NULL OR c.environment = $1) AND e.environment IS NULL
ORDER BY 1, 2, 3 LIMIT 1000;

-- name: sales_of
-- Each id that was told with its row, if it has one; `place` counts the given ones from 1.
SELECT asked.place, s.ctid, s.answer
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, sale_id, place)
LEFT JOIN sale AS s ON s.environment = asked.environment AND s.sale_id = asked.sale_id
    AND s.state = 'approved';

-- name: sales_in_place
-- `late` tells which have waited too long to be on their way still.
SELECT ctid, environment, sale_id::text AS id, decided_at < now() - $2::interval AS late
FROM sale WHERE state = 'approved' AND ($1::int IS NULL OR environment = $1);

-- name: reversals_of
SELECT asked.place, c.ctid, c.answer
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY AS asked (environment, cancellation_id, place)
LEFT JOIN cancellation AS c
  ON c.environment = asked.environment AND c.cancellation_id = asked.cancellation_id
    AND c.type = 'sale.reversed';

-- name: reversals_in_place
SELECT ctid, environment, cancellation_id::text AS id, decided_at < now() - $2::interval AS late
FROM cancellation WHERE type = 'sale.reversed' AND ($1::int IS NULL OR environment = $1);

-- name: environments_of
SELECT asked.place, e.ctid, e.version
FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS asked (environment, id, place)
LEFT JOIN environment AS e ON e.environment = asked.environment;

-- name: environments_in_place
SELECT ctid, environment, environment::text AS id, version, changed_at < now() - $2::interval AS late
FROM environment WHERE $1::int IS NULL OR environment = $1;

-- name: customers_of
SELECT asked.place, c.ctid, c.version
FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS asked (environment, id, place)
LEFT JOIN customer AS c ON c.environment = asked.environment AND c.customer_id = asked.id::uuid;

-- name: customers_in_place
SELECT ctid, environment, customer_id::text AS id, version, changed_at < now() - $2::interval AS late
FROM customer WHERE $1::int IS NULL OR environment = $1;

-- name: accounts_of
SELECT asked.place, a.ctid, a.version
FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS asked (environment, id, place)
LEFT JOIN account AS a ON a.environment = asked.environment AND a.account = asked.id;

-- name: accounts_in_place
SELECT ctid, environment, account AS id, version, changed_at < now() - $2::interval AS late
FROM account WHERE $1::int IS NULL OR environment = $1;
