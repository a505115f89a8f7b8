-- After a power cut: positions go back to before it, and no job waits for records that are gone.

-- name: put_back
-- What stands before them now may be another record than the one that was read there.
UPDATE positions AS p SET next_offset = u.next_offset, read_at = NULL
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS u (topic, partition, next_offset)
WHERE (p.topic, p.partition) = (u.topic, u.partition) AND p.next_offset > u.next_offset;

-- name: barriers
-- What waits for the logs' ends of before waits for those of now; a partition that is not among these
-- holds nothing.
UPDATE job AS j SET barrier = (
    SELECT jsonb_agg(jsonb_build_object('topic', u.topic, 'partition', u.partition, 'ends', u.ends))
    FROM jsonb_to_recordset(j.barrier) AS b (topic text, partition int)
    JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS u (topic, partition, ends)
      USING (topic, partition))
WHERE j.state = 'open' AND j.barrier IS NOT NULL;
