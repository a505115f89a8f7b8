-- Taking names of erased customers out of what tills were told, step by step.

-- name: note
-- Under the environment's lock, and before its revision rises.
INSERT INTO forgetting (environment, name, revision)
SELECT u.environment, u.name, e.revision
FROM unnest($1::int[], $2::text[]) AS u (environment, name)
CROSS JOIN LATERAL (
    SELECT e.revision FROM environment AS e WHERE e.environment = u.environment OFFSET 0) AS e
RETURNING environment, id;

-- name: to_forget
-- What is still to go, of some environments; up to an id, or all.
SELECT id, environment, name, revision FROM forgetting
WHERE environment = ANY ($1::int[]) AND ($2::bigint IS NULL OR id <= $2);

-- name: last_noted
SELECT max(id) FROM forgetting WHERE environment = $1;

-- name: pages_after
-- The directories of some revisions: as many as together have $4 bytes, and one at least. Locked, as
-- they are written back from what was read: an older worker takes names out of them as well.
SELECT revision, pages
FROM (
    SELECT revision, pages,
           sum(pg_column_size(pages)) OVER (ORDER BY revision) - pg_column_size(pages) AS before
    FROM (SELECT revision, pages FROM directory
          WHERE environment = $1 AND revision > $2 AND revision <= $3
          ORDER BY revision LIMIT 100
          FOR NO KEY UPDATE) AS d) AS d
WHERE before < $4
ORDER BY revision;

-- name: change_pages
UPDATE directory SET pages = $3::bytea[] WHERE environment = $1 AND revision = $2;

-- name: searches_after
-- Locked as well. By the column and not by its text, and from a place that is always given: so the key
-- gives the next ones, and a step does not sort all that the venue was ever told.
SELECT s.search_id::text, s.revision, s.answer FROM search AS s
WHERE s.environment = $1
  AND s.search_id >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
  AND s.search_id IS DISTINCT FROM $2::uuid  -- of nil there may be one too
ORDER BY s.search_id
LIMIT $3
FOR NO KEY UPDATE;

-- name: change_searches
UPDATE search AS s SET answer = u.answer
FROM unnest($2::uuid[], $3::bytea[]) AS u (search_id, answer)
WHERE s.environment = $1 AND s.search_id = u.search_id;

-- name: forgotten
DELETE FROM forgetting WHERE environment = $1 AND id <= $2;
