-- name: tell_again
-- Of each venue all that moved money, whenever that was.
INSERT INTO job (kind, ref, payload)
SELECT 'republish', environment || '/' || gen_random_uuid(),
       jsonb_build_object('environment', environment, 'since', $1::timestamptz)
FROM environment;
