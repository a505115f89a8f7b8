-- name: tell_again
-- How each import stands, whenever it came: nothing says which changed since ($1).
INSERT INTO unpublished (state_kind, state_key)
SELECT 'import', jsonb_build_array(environment, job_id)
FROM upload WHERE $1::timestamptz IS NOT NULL;
