-- After a power cut: positions go back to before it, and no job waits for what is gone.

-- name: positions
SELECT topic, partition, next_offset FROM positions;

-- name: put_back
-- What stands before them now may be another record than the one that was read there.
UPDATE positions AS p SET next_offset = u.next_offset, read_at = NULL
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS u (topic, partition, next_offset)
WHERE (p.topic, p.partition) = (u.topic, u.partition) AND p.next_offset > u.next_offset;

-- name: no_barrier
UPDATE job SET barrier = NULL WHERE state = 'open' AND barrier IS NOT NULL;
