-- name: keep
-- Where another worker has just written it, this waits for that one's end.
INSERT INTO told (digest, ce_time, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: kept
-- A statement of its own, so that it sees what the one before it waited for.
SELECT ce_time, value FROM told WHERE digest = $1;
