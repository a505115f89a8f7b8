-- What invoices, credit notes and payments do to the sums.

-- name: share_environments
-- No account is opened meanwhile: either its opening counts an event, or the event finds it.
SELECT environment FROM environment
WHERE environment = ANY ($1::int[])
ORDER BY environment
FOR SHARE;

-- name: lock_accounts
SELECT a.environment, a.account
FROM (SELECT * FROM unnest($1::int[], $2::text[]) AS u (environment, account)
      ORDER BY environment, account COLLATE "C") AS w
CROSS JOIN LATERAL (
    SELECT a.environment, a.account
    FROM account AS a
    WHERE a.environment = w.environment AND a.account = w.account
    FOR NO KEY UPDATE) AS a;

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
MERGE INTO account AS a
USING unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
      AS u (environment, account, issued, credited, paid, refunded)
ON a.environment = u.environment AND a.account = u.account
WHEN MATCHED THEN
    UPDATE SET issued = a.issued + u.issued, credited = a.credited + u.credited,
               paid = a.paid + u.paid, refunded = a.refunded + u.refunded
WHEN NOT MATCHED THEN DO NOTHING;
