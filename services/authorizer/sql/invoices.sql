-- name: lock_accounts
SELECT FROM account AS a
JOIN unnest($1::int[], $2::text[]) AS wanted (environment, account)
  USING (environment, account)
ORDER BY a.environment, a.account
FOR NO KEY UPDATE OF a;

-- name: note_effects
-- What is noted already was counted already: only what is new comes back.
INSERT INTO invoice_effect (kind, environment, id, account, amount)
SELECT * FROM unnest($1::text[], $2::int[], $3::uuid[], $4::text[], $5::bigint[]) AS n
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
RETURNING kind, environment, account, amount;

-- name: add_to_sums
UPDATE account AS a
SET issued = a.issued + n.issued, credited = a.credited + n.credited, paid = a.paid + n.paid
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
     AS n (environment, account, issued, credited, paid)
WHERE a.environment = n.environment AND a.account = n.account;
