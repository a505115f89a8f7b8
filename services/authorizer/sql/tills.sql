-- name: venues
SELECT environment, gdpr IS NOT NULL AS gdpr_accepted, active
FROM environment WHERE environment = ANY($1::int[]);

-- name: directory
-- What stands behind the on-account button: chargeable and in the overview.
SELECT a.account, a.description, c.fields AS holder
FROM account AS a
LEFT JOIN customer AS c ON c.environment = a.environment AND c.customer_id = a.holder
WHERE a.environment = $1 AND a.in_overview AND a.on_account AND a.status = 'active';

-- name: directory_version
-- Rises with every change of an account or a customer of the environment.
SELECT (SELECT coalesce(sum(version), 0) FROM account WHERE environment = $1)
     + (SELECT coalesce(sum(version), 0) FROM customer WHERE environment = $1);

-- name: search
-- Accounts in whose number, description or holder's names all words occur; accents and case
-- are ignored on both sides (the words come folded).
SELECT a.account, a.description, a.status, a.on_account, c.fields AS holder
FROM account AS a
LEFT JOIN customer AS c ON c.environment = a.environment AND c.customer_id = a.holder
CROSS JOIN LATERAL (
    SELECT regexp_replace(normalize(lower(concat_ws(' ', a.account, a.description,
               c.fields ->> 'first_name', c.fields ->> 'infix', c.fields ->> 'last_name',
               c.fields ->> 'company')), NFKD), '[\u0300-\u036f]', '', 'g') AS folded) AS t
WHERE a.environment = $1
  AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS word WHERE strpos(t.folded, word) = 0)
ORDER BY a.account LIMIT $3;
