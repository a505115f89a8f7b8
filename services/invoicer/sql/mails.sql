-- name: add
INSERT INTO mail (environment, mail_id, kind, ref, recipient, copy, message_id)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[])
ON CONFLICT DO NOTHING;

-- name: pending
-- Mails that wait for their document.
SELECT mail_id::text FROM mail WHERE environment = $1 AND ref = $2 AND state = 'pending';

-- name: find
SELECT mail_id::text, kind, ref, recipient, copy, state, message_id, handed_over, attempts, code,
       created_at
FROM mail WHERE environment = $1 AND mail_id = $2;

-- name: hand_over
-- Said before a mail is given to a server: more than once means it may have arrived twice.
UPDATE mail SET handed_over = handed_over + 1
WHERE environment = $1 AND mail_id = $2 AND state = 'pending' RETURNING handed_over;

-- name: put_off
UPDATE mail SET attempts = attempts + 1, code = $3, said = $4
WHERE environment = $1 AND mail_id = $2 AND state = 'pending';

-- name: end
UPDATE mail SET state = $3, code = $4, said = $5, attempts = attempts + 1, ended_at = now()
WHERE environment = $1 AND mail_id = $2 AND state = 'pending' RETURNING mail_id;
