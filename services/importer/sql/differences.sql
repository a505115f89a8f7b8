-- name: changing
-- What is planned to be changed, limits first; and, of a link, whom it makes the holder.
SELECT c.row, c.type, c.body, c.before, coalesce(p.fields, k.fields, '{}') AS holder
FROM command AS c
LEFT JOIN planned_customer AS p ON c.type = 'account.link' AND p.environment = $1
    AND p.job_id = $2 AND p.customer_id = (c.body ->> 'customer_id')::uuid
LEFT JOIN customer AS k ON c.type = 'account.link' AND k.environment = $1
    AND k.customer_id = (c.body ->> 'customer_id')::uuid
WHERE c.environment = $1 AND c.job_id = $2
  AND c.number IN (SELECT number FROM bundle
                   WHERE environment = $1 AND job_id = $2 AND changing)
  AND c.type IN ('customer.change', 'account.change', 'account.link')
ORDER BY c.body ? 'limit' DESC, c.row, c.step LIMIT $3;
