-- name: begin
-- One row per job, whoever comes first; the lock below then serialises its parts.
INSERT INTO upload (environment, job_id, head, file_name, sha256, parts, mode, sheet, mapping,
                    defaults, uploaded_by, uploaded_at, language)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (environment, job_id) DO NOTHING
RETURNING job_id;

-- name: lock
SELECT environment, job_id, version, status, head, file_name, sha256, parts, mode, sheet, mapping,
    defaults, uploaded_by, uploaded_at, language, confirmed_by, confirmed_at, stop_asked,
    kept_bytes, layout, planned_at_change, rows, created, changed, unchanged, refused,
    undo_by, undo_at, forgotten
FROM upload WHERE environment = $1 AND job_id = $2 FOR UPDATE;

-- name: part
SELECT digest FROM upload_part WHERE environment = $1 AND job_id = $2 AND part = $3;

-- name: add_part
INSERT INTO upload_part (environment, job_id, part, digest, content)
VALUES ($1, $2, $3, $4, $5);

-- name: arrived
SELECT count(*) FROM upload_part WHERE environment = $1 AND job_id = $2 AND content IS NOT NULL;

-- name: read_up_to
SELECT partition, next_offset FROM positions WHERE topic = 'imports.uploads';

-- name: behind
SELECT EXISTS (
    SELECT FROM jsonb_array_elements($1::jsonb) AS e
    LEFT JOIN positions AS p ON (p.topic, p.partition) = (e ->> 0, (e ->> 1)::int)
    WHERE coalesce(p.next_offset, 0) < (e ->> 2)::bigint);

-- name: keep
UPDATE upload SET kept_bytes = kept_bytes + $3 WHERE environment = $1 AND job_id = $2;

-- name: kept
-- Of all, and of one environment. Those that nobody knows are as one: their numbers cost nothing.
SELECT coalesce(sum(kept_bytes), 0)::bigint AS of_all,
    coalesce(sum(kept_bytes) FILTER (WHERE
        CASE WHEN EXISTS (SELECT FROM environment WHERE environment = $1) THEN environment = $1
        ELSE NOT EXISTS (SELECT FROM environment e WHERE e.environment = upload.environment) END
    ), 0)::bigint AS of_one
FROM upload WHERE kept_bytes > 0;

-- name: content
SELECT content FROM upload_part WHERE environment = $1 AND job_id = $2 AND part = $3;

-- name: confirm
-- Under way it names who asked for it already: what is sent again is the same bytes.
UPDATE upload SET confirmed_by = $3, confirmed_at = $4
WHERE environment = $1 AND job_id = $2 AND confirmed_by IS NULL AND status <> 'running';

-- name: ask_to_stop
UPDATE upload SET stop_asked = true WHERE environment = $1 AND job_id = $2;

-- name: become
UPDATE upload SET status = $3, version = version + 1
WHERE environment = $1 AND job_id = $2;

-- name: previewed
-- One that was cancelled meanwhile stays as it was told. A version has one number of rows: how it
-- stands may be told between this and the next status.
UPDATE upload SET language = $3, layout = $4, planned_at_change = $5,
    version = version + CASE WHEN rows = $6 THEN 0 ELSE 1 END, rows = $6,
    last_planned = nullif($7::bigint, 0)
WHERE environment = $1 AND job_id = $2 AND status IN ('received', 'previewed', 'running');

-- name: counted
UPDATE upload SET created = $3, changed = $4, unchanged = $5, refused = $6
WHERE environment = $1 AND job_id = $2;

-- name: say
INSERT INTO said (environment, job_id, ce_id, ce_type, ce_time, value, at_part)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (environment, job_id, ce_id) DO NOTHING;

-- name: said
SELECT ce_id, ce_type, ce_time, value, at_part FROM said
WHERE environment = $1 AND job_id = $2 ORDER BY ce_time, ce_id;

-- name: forget_bytes
UPDATE upload_part SET content = NULL
WHERE environment = $1 AND job_id = $2 AND content IS NOT NULL;

-- name: keep_nothing
UPDATE upload SET kept_bytes = 0 WHERE environment = $1 AND job_id = $2;

-- name: states
SELECT environment, job_id, version, status, file_name, uploaded_by, uploaded_at, rows, created,
    changed, unchanged, refused
FROM upload JOIN unnest($1::int[], $2::uuid[]) AS k (environment, job_id)
    USING (environment, job_id);
