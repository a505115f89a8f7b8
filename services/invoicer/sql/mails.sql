-- name: add
INSERT INTO mail (environment, mail_id, kind, ref, recipient, copy)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[])
ON CONFLICT DO NOTHING;

-- name: pending
-- Mails that wait for these documents.
SELECT mail_id::text FROM mail
WHERE environment = $1 AND ref = ANY ($2::text[]) AND state = 'pending' ORDER BY created_at, 1;

-- name: find
-- With the invoices that they are about, where they are about one, and what is open of these.
SELECT m.mail_id::text, m.kind, m.ref, m.recipient, m.copy, m.state, m.message_id, m.handed_over,
       m.attempts, m.refusals, m.refused_since, m.code, m.created_at,
       i.invoice_id::text, i.account, i.total - i.credited - i.paid AS open
FROM mail AS m
LEFT JOIN invoice AS i ON i.environment = m.environment AND i.invoice_id = CASE
    WHEN m.kind = 'invoice' THEN m.ref::uuid
    WHEN m.kind = 'credit_note' THEN (
        SELECT c.invoice_id FROM credit_note AS c
        WHERE c.environment = m.environment AND c.credit_note_id = m.ref::uuid) END
WHERE m.environment = $1 AND m.mail_id = ANY ($2::uuid[]);

-- name: hand_over
-- Said before mails are given to a server: more than once means one may have arrived twice.
UPDATE mail AS m SET handed_over = m.handed_over + 1, message_id = u.message_id
FROM unnest($2::uuid[], $3::text[]) AS u (mail_id, message_id)
WHERE m.environment = $1 AND m.mail_id = u.mail_id AND m.state = 'pending'
RETURNING m.mail_id::text, m.handed_over;

-- name: put_off
-- Without a code the server is away. Where it said 421 just before, it was closing: that is forgotten.
UPDATE mail SET attempts = attempts + 1, code = $3, said = $4,
    refusals = CASE WHEN $3::int IS NOT NULL THEN refusals + 1 WHEN code = 421 THEN 0 ELSE refusals END,
    refused_since = CASE WHEN $3::int IS NOT NULL THEN coalesce(refused_since, now())
                         WHEN code = 421 THEN NULL ELSE refused_since END
WHERE environment = $1 AND mail_id = $2 AND state = 'pending';

-- name: unsure
-- Not counted among `attempts`, whose outcome is known.
UPDATE mail SET code = NULL, said = $3
WHERE environment = $1 AND mail_id = $2 AND state = 'pending';

-- name: end
UPDATE mail SET state = $3, code = $4, said = $5, attempts = attempts + 1, ended_at = now()
WHERE environment = $1 AND mail_id = ANY ($2::uuid[]) AND state = 'pending' RETURNING mail_id::text;

-- name: recipients
-- Who got a document by mail, or is about to.
SELECT DISTINCT recipient FROM mail
WHERE environment = $1 AND ref = $2 AND NOT copy AND state <> 'failed' ORDER BY 1;
