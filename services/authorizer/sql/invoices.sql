-- What invoices, credit notes and payments do to the sums.

-- name: share_environments
-- No account is opened meanwhile: either its opening counts an event, or the event finds it.
SELECT environment FROM environment
WHERE environment = ANY ($1::int[])
ORDER BY environment
FOR SHARE;

-- name: lock_accounts
SELECT a.environment, a.account
FROM unnest($1::int[], $2::text[]) AS u (environment, account)
JOIN account AS a ON a.environment = u.environment AND a.account = u.account
ORDER BY a.environment, a.account
FOR NO KEY UPDATE OF a;

-- name: record_effects
-- Each event once, whatever is delivered; gives those that were not there.
INSERT INTO invoice_effect (environment, kind, id, account, amount, sales, amounts)
SELECT u.environment, u.kind, u.id, u.account, u.amount, u.sales::uuid[], u.amounts::bigint[]
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[])
     AS u (environment, kind, id, account, amount, sales, amounts)
ORDER BY u.environment, u.kind, u.id
ON CONFLICT DO NOTHING
RETURNING environment, kind, account, amount;

-- name: add_to_sums
UPDATE account AS a
SET issued = a.issued + u.issued, credited = a.credited + u.credited, paid = a.paid + u.paid,
    refunded = a.refunded + u.refunded
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
     AS u (environment, account, issued, credited, paid, refunded)
WHERE a.environment = u.environment AND a.account = u.account;
