-- name: opening
-- The one clock of a transaction; how far these partitions were decided, as it stood before; and
-- the positions that the transaction will have reached when it commits. The greatest wins: a
-- worker that lost its partitions and does not know it takes nothing back. The statements of
-- decision 84 do the same in words of their own (at_once.sql, twice): as a function of the database
-- it costs a batch a hundredth of its time and more, its plan can't be held against the tables
-- (tests ask for the plan of each statement), and another version of a worker would run it too.
WITH batch AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])
        AS t (topic, partition, next_offset, read_at)
), advanced AS (
    INSERT INTO positions AS p (topic, partition, next_offset, read_at)
    SELECT * FROM batch ORDER BY 1, 2
    ON CONFLICT (topic, partition) DO UPDATE
    SET next_offset = greatest(p.next_offset, excluded.next_offset),
        read_at = greatest(p.read_at, excluded.read_at)
)
SELECT now() AS now, b.topic, b.partition, p.next_offset
FROM (SELECT) AS one
LEFT JOIN batch AS b ON true
LEFT JOIN positions AS p ON (p.topic, p.partition) = (b.topic, b.partition);

-- name: clock
SELECT now();

-- name: positions
SELECT topic, partition, next_offset, read_at FROM positions;

-- name: add_job
INSERT INTO job (kind, ref, payload, serial, barrier, due_at)
VALUES ($1, $2, $3, $4, $5, coalesce($6, now()))
ON CONFLICT (kind, ref) DO NOTHING
RETURNING id;

-- name: add_jobs
-- As `add_job`, several of one kind that are due now.
INSERT INTO job (kind, ref, payload)
SELECT $1, * FROM unnest($2::text[], $3::jsonb[])
ON CONFLICT (kind, ref) DO NOTHING
RETURNING id;

-- name: kinds_due
-- Kinds of which a job is due that nobody holds; whether it can be claimed, `claim` finds out.
SELECT kind
FROM unnest($1::text[]) AS k (kind)
WHERE EXISTS (
    SELECT FROM job AS j
    WHERE j.kind = k.kind AND j.state = 'open' AND j.due_at <= now()
      AND (j.leased_until IS NULL OR j.leased_until < now()));

-- name: oldest
-- Of each kind, for how many seconds its oldest open job has been waiting or at work: since it was
-- asked for, or since its hour where it was made for one. NULL: none is open.
SELECT k.kind,
       (SELECT extract(epoch FROM now() - min(CASE WHEN k.appointed THEN j.due_at
                                                   ELSE j.created_at END))::float8
        FROM job AS j WHERE j.kind = k.kind AND j.state = 'open') AS waits_s
FROM unnest($1::text[], $2::bool[]) AS k (kind, appointed);

-- name: claim
-- One job of these kinds that is due, whose barrier is reached and whose elders are done. Of one
-- serial key only one job ever holds a lease (job_serial_lease): one whose worker died goes first.
UPDATE job SET lease = $2, leased_until = now() + make_interval(secs => $3)
WHERE id = (
    SELECT j.id FROM job AS j
    WHERE j.state = 'open' AND j.kind = $1 AND j.due_at <= now()
      AND (j.leased_until IS NULL OR j.leased_until < now())
      AND (j.serial IS NULL OR NOT EXISTS (
            SELECT FROM job AS other
            WHERE other.serial = j.serial AND other.state = 'open' AND other.id <> j.id
              AND (other.lease IS NOT NULL OR (other.id < j.id AND j.lease IS NULL))))
      AND NOT EXISTS (
            SELECT FROM jsonb_to_recordset(coalesce(j.barrier, '[]'))
                AS b (topic text, partition int, ends bigint)
            LEFT JOIN positions AS p ON (p.topic, p.partition) = (b.topic, b.partition)
            WHERE coalesce(p.next_offset, 0) < b.ends)
    ORDER BY j.due_at, j.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING id, kind, ref, payload, attempts, created_at;

-- name: claim_in_turns
-- As `claim`, up to $4 jobs under one lease, for kinds whose refs begin with whose they are
-- ("2890/..."): whoever has the fewest in hand goes first, so that ten thousand jobs of one do not
-- keep the few of another waiting, and all that is claimed is of the same. What a killed worker had
-- is in nobody's hand once its lease ran out. They have no serial key.
-- The recursion hops over an index from one to the next.
WITH RECURSIVE whose AS (
    SELECT min(split_part(ref, '/', 1)) AS name FROM job WHERE kind = $1 AND state = 'open'
    UNION ALL
    SELECT (SELECT min(split_part(j.ref, '/', 1)) FROM job AS j
            WHERE j.kind = $1 AND j.state = 'open' AND split_part(j.ref, '/', 1) > w.name)
    FROM whose AS w WHERE w.name IS NOT NULL),
turn AS MATERIALIZED (
    SELECT w.name, f.id, f.due_at
    FROM whose AS w
    CROSS JOIN LATERAL (
        SELECT j.id, j.due_at FROM job AS j
        WHERE j.state = 'open' AND j.kind = $1 AND split_part(j.ref, '/', 1) = w.name
          AND j.due_at <= now() AND (j.leased_until IS NULL OR j.leased_until < now())
          AND (j.barrier IS NULL OR NOT EXISTS (
                SELECT FROM jsonb_to_recordset(j.barrier)
                    AS b (topic text, partition int, ends bigint)
                LEFT JOIN positions AS p ON (p.topic, p.partition) = (b.topic, b.partition)
                WHERE coalesce(p.next_offset, 0) < b.ends))
        ORDER BY j.due_at, j.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED) AS f
    ORDER BY (SELECT count(*) FROM job AS held
              WHERE held.kind = $1 AND held.state = 'open' AND held.lease IS NOT NULL
                AND held.leased_until >= now()
                AND split_part(held.ref, '/', 1) = w.name), f.due_at, f.id
    LIMIT 1),
more AS MATERIALIZED (
    SELECT j.id FROM turn AS t
    CROSS JOIN LATERAL (
        SELECT j.id FROM job AS j
        WHERE $4 > 1 AND j.state = 'open' AND j.kind = $1 AND split_part(j.ref, '/', 1) = t.name
          AND (j.due_at, j.id) > (t.due_at, t.id) AND j.barrier IS NULL
          AND j.due_at <= now() AND (j.leased_until IS NULL OR j.leased_until < now())
        ORDER BY j.due_at, j.id
        LIMIT $4::int - 1
        FOR UPDATE SKIP LOCKED) AS j)
UPDATE job SET lease = $2, leased_until = now() + make_interval(secs => $3)
WHERE id = ANY (ARRAY(SELECT id FROM turn UNION ALL SELECT id FROM more))
RETURNING id, kind, ref, payload, attempts, created_at;

-- name: others_due
-- Whether a job of this kind is due that nobody holds, of others than $2 (as `claim_in_turns` tells
-- them). On either side of that one's in the index: of its own there may be ten thousand. The order
-- is the index's, for as an EXISTS of its own either side reads the whole table.
SELECT (SELECT 1 FROM job
        WHERE kind = $1 AND state = 'open' AND split_part(ref, '/', 1) < $2
          AND due_at <= now() AND (leased_until IS NULL OR leased_until < now())
        ORDER BY split_part(ref, '/', 1), due_at, id LIMIT 1) IS NOT NULL
    OR (SELECT 1 FROM job
        WHERE kind = $1 AND state = 'open' AND split_part(ref, '/', 1) > $2
          AND due_at <= now() AND (leased_until IS NULL OR leased_until < now())
        ORDER BY split_part(ref, '/', 1), due_at, id LIMIT 1) IS NOT NULL;

-- name: hold
-- The fence: locks the job for a step, only while the lease is ours. With it all positions, which
-- every step compares: one statement, for each costs a step as much as the next.
SELECT now() AS now,
    (SELECT string_agg(topic || ' ' || partition || ' ' || next_offset, ',' ORDER BY topic, partition)
     FROM positions) AS positions
FROM job WHERE id = $1 AND lease = $2 AND state = 'open' FOR UPDATE;

-- name: hold_together
-- The same fence for several jobs of one lease: gives those that are still ours, locked.
SELECT now() AS now,
    (SELECT string_agg(topic || ' ' || partition || ' ' || next_offset, ',' ORDER BY topic, partition)
     FROM positions) AS positions,
    ARRAY(SELECT id FROM job WHERE id = ANY ($1::bigint[]) AND lease = $2 AND state = 'open'
          ORDER BY id FOR UPDATE) AS held;

-- name: renew
-- From when the row is had: a step may hold it, and at its end the lease counts from there.
UPDATE job SET leased_until = clock_timestamp() + make_interval(secs => $3)
WHERE id = ANY ($1::bigint[]) AND lease = $2 AND state = 'open' RETURNING id;

-- name: stepped
-- The end of a step: progress, and what is to become of the job. A step that saves nothing new
-- will be made again: it does not count as progress, or a job could fail after it for ever. With it
-- the state records that the step touched and its answers, in this order, as not published yet: who
-- finds them publishes them a portion at a time, and states come first (decision 141).
WITH stepped AS (
    UPDATE job SET
        payload = coalesce($3, payload),
        state = $4,
        ended_at = CASE WHEN $4 = 'open' THEN NULL ELSE now() END,
        attempts = CASE WHEN $5::float8 IS NULL AND ($3::jsonb IS NULL OR payload = $3) THEN attempts
                        ELSE 0 END,
        due_at = CASE WHEN $5::float8 IS NULL THEN due_at ELSE now() + make_interval(secs => $5) END,
        lease = CASE WHEN $4 = 'open' AND $5::float8 IS NULL THEN lease END,
        -- from here on, not from the step's beginning: that may have been long
        leased_until = CASE WHEN $4 = 'open' AND $5::float8 IS NULL
                            THEN clock_timestamp() + make_interval(secs => $6) END
    WHERE id = $1 AND lease = $2)
INSERT INTO unpublished (topic, key, ce_id, ce_type, ce_time, value, state_kind, state_key)
SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::timestamptz, NULL::bytea, *
FROM unnest($13::text[], $14::jsonb[])
UNION ALL
SELECT *, NULL, NULL
FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::bytea[])
RETURNING id;

-- name: stepped_together
-- As `stepped`, for several jobs of one lease, none of which has progress to save.
WITH stepped AS (
    UPDATE job AS j SET
        state = s.state,
        ended_at = CASE WHEN s.state = 'open' THEN NULL ELSE now() END,
        attempts = CASE WHEN s.later_s IS NULL THEN j.attempts ELSE 0 END,
        due_at = CASE WHEN s.later_s IS NULL THEN j.due_at
                      ELSE now() + make_interval(secs => s.later_s) END,
        lease = CASE WHEN s.state = 'open' AND s.later_s IS NULL THEN j.lease END,
        leased_until = CASE WHEN s.state = 'open' AND s.later_s IS NULL
                            THEN clock_timestamp() + make_interval(secs => $5) END
    FROM unnest($1::bigint[], $3::text[], $4::float8[]) AS s (id, state, later_s)
    WHERE j.id = s.id AND j.lease = $2)
INSERT INTO unpublished (topic, key, ce_id, ce_type, ce_time, value, state_kind, state_key)
SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::timestamptz, NULL::bytea, *
FROM unnest($12::text[], $13::jsonb[])
UNION ALL
SELECT *, NULL, NULL
FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::bytea[])
RETURNING id;

-- name: release
-- Gives jobs back, to be taken up after $3 seconds; $4 failures of our own code are counted.
UPDATE job SET lease = NULL, leased_until = NULL,
    due_at = now() + make_interval(secs => $3), attempts = attempts + $4
WHERE id = ANY ($1::bigint[]) AND lease = $2;

-- name: held_by_nobody
-- Which of these jobs are open, and in no worker's hands.
SELECT id FROM job
WHERE id = ANY ($1::bigint[]) AND state = 'open' AND (leased_until IS NULL OR leased_until < now());

-- name: clear_done
-- Some jobs of these kinds that have been done for so long. Another worker clears others.
DELETE FROM job WHERE id IN (
    SELECT id FROM job
    WHERE state = 'done' AND kind = ANY ($1::text[])
      AND ended_at < now() - make_interval(secs => $2)
    LIMIT $3
    FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: unpublished
-- Answers whose worker died between the commit and the mark, oldest first, in portions of at
-- most 200 and about 8 MB.
SELECT id, topic, key, ce_id, ce_type, ce_time, value, state_kind, state_key
FROM (
    SELECT *, sum(octet_length(value)) OVER (ORDER BY id) - octet_length(value) AS before
    FROM unpublished WHERE created_at < now() - make_interval(secs => $1)
    ORDER BY id LIMIT 200) AS u
WHERE coalesce(before, 0) < 8000000
ORDER BY id;

-- name: published
-- Committed without waiting for the disk: what a crash brings back is published once more.
DELETE FROM unpublished
WHERE id = ANY($1::bigint[]) AND set_config('synchronous_commit', 'off', true) = 'off';
