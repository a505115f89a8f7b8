-- name: recall
SELECT digest, touched::text[], asked_at FROM request
WHERE environment = $1 AND kind = $2 AND id = $3;

-- name: answers
SELECT topic, key, ce_id, ce_type, ce_time, value FROM answer
WHERE environment = $1 AND kind = $2 AND id = $3 ORDER BY position;

-- name: add
-- A second worker with the same request fails here, and decides again: then it recalls.
INSERT INTO request (environment, kind, id, digest, touched) VALUES ($1, $2, $3, $4, $5);

-- name: add_answers
INSERT INTO answer (environment, kind, id, position, topic, key, ce_id, ce_type, ce_time, value)
SELECT $1, $2, $3, * FROM unnest($4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
                                 $9::timestamptz[], $10::bytea[]);
