-- name: tell_again
-- How each import stands, whenever it came: nothing says which changed since ($1). And an undo notes
-- anew up to where it waits for the registry: there may be no such records any more.
WITH anew AS (UPDATE job SET payload = payload - 'ends' WHERE state = 'open' AND payload ? 'ends')
INSERT INTO unpublished (state_kind, state_key)
SELECT 'import', jsonb_build_array(environment, job_id)
FROM upload WHERE $1::timestamptz IS NOT NULL;
