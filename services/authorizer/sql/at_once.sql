-- The way of a few new sales, decided without a lock (docs/decisions/0084): two statements, each a
-- transaction of its own, or the second alone (0092). As in sales.sql, rows can only be found by
-- their keys.

-- name: look
-- What lock_accounts gives, without a lock, and with how each row stands (`row`: the transaction
-- that wrote it); before it the clock, how far these partitions were decided, and whether any of
-- these sales is known. All of one moment.
WITH house AS MATERIALIZED (
    SELECT environment, version, gdpr_at IS NOT NULL AS gdpr_accepted, active, currency, language,
           limit_release
    FROM environment
    WHERE environment = ANY ($3::int[])
), standing AS MATERIALIZED (
    SELECT a.*
    FROM unnest($4::int[], $5::text[]) AS u (environment, account)
    CROSS JOIN LATERAL (
        SELECT a.xmin AS row, a.environment, a.account, a.credit_limit, a.status, a.on_account,
               a.approved, a.reversed, a.issued, a.credited, a.paid, a.refunded
        FROM account AS a
        WHERE a.environment = u.environment AND a.account = u.account
        OFFSET 0) AS a
), head AS MATERIALIZED (
    SELECT now() AS now,
           (SELECT array_agg((SELECT p.next_offset FROM positions AS p
                              WHERE p.topic = b.topic AND p.partition = b.partition) ORDER BY place)
            FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS b (topic, partition, place)
           ) AS positions,
           EXISTS (
               SELECT
               FROM unnest($6::int[], $7::uuid[]) AS u (environment, sale_id)
               CROSS JOIN LATERAL (
                   SELECT FROM sale AS s
                   WHERE s.environment = u.environment AND s.sale_id = u.sale_id
                   OFFSET 0) AS s) AS known
)
SELECT now, positions, known, environment, NULL AS account, version, gdpr_accepted, active,
       currency, language, limit_release, NULL AS row, NULL AS credit_limit, NULL AS status,
       NULL AS on_account, NULL AS approved, NULL AS reversed, NULL AS issued, NULL AS credited,
       NULL AS paid, NULL AS refunded
FROM head LEFT JOIN house ON true
UNION ALL
SELECT NULL, NULL, NULL, environment, account, NULL, NULL, NULL,
       NULL, NULL, NULL, row, credit_limit, status,
       on_account, approved, reversed, issued, credited,
       paid, refunded
FROM standing;

-- name: record_at_once
-- New sales that were decided on what `look` gave, or on what was recorded since: positions,
-- environments, accounts and sales are locked in this order, and where a row stands otherwise than
-- it was read, or a position behind what is known, all of it fails (changed_since raises
-- serialization_failure) and is decided again. Three parameters before the last are accounts that
-- nothing is charged to, and which must stand as they were read at this moment: they are not
-- locked. Gives the transaction, for each account that is charged.
WITH behind AS MATERIALIZED (
    SELECT count(*) AS count
    FROM unnest($1::text[], $2::int[], $19::bigint[]) AS b (topic, partition, known)
    WHERE b.known > coalesce((SELECT p.next_offset FROM positions AS p
                              WHERE p.topic = b.topic AND p.partition = b.partition), 0)
), unmoved AS MATERIALIZED (
    SELECT count(*) AS count
    FROM unnest($20::int[], $21::text[], $22::xid[]) AS u (environment, account, row)
    CROSS JOIN LATERAL (
        SELECT FROM account AS a
        WHERE a.environment = u.environment AND a.account = u.account AND a.xmin = u.row
        OFFSET 0) AS a
), advanced AS (
    INSERT INTO positions AS p (topic, partition, next_offset, read_at)
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $23::bigint[]) ORDER BY 1, 2
    ON CONFLICT (topic, partition) DO UPDATE
    SET next_offset = greatest(p.next_offset, excluded.next_offset),
        read_at = greatest(p.read_at, excluded.read_at)
    RETURNING 1
), house AS MATERIALIZED (
    SELECT CASE WHEN count(*) = cardinality($4::int[])
                     AND (SELECT count FROM behind) = 0
                     AND (SELECT count FROM unmoved) = cardinality($20::int[])
                THEN 0 ELSE changed_since() END AS as_read
    FROM unnest($4::int[], $5::bigint[]) AS u (environment, version)
    CROSS JOIN LATERAL (
        SELECT FROM environment AS e
        WHERE e.environment = u.environment AND e.version = u.version
        FOR KEY SHARE) AS e
    WHERE (SELECT count(*) FROM advanced) >= 0  -- always: after the positions are locked
), recorded AS (
    INSERT INTO sale (environment, sale_id, account, digest, total, answer, state, recorded,
                      decided_at)
    SELECT u.*, $18
    FROM unnest($6::int[], $7::uuid[], $8::text[], $9::bytea[], $10::bigint[], $11::bytea[],
                $12::text[], $13::bool[]) AS u
    WHERE (SELECT as_read FROM house) = 0  -- also where nothing is charged
)
MERGE INTO account AS a
USING (
    SELECT u.*
    FROM unnest($14::int[], $15::text[], $16::xid[], $17::bigint[])
         AS u (environment, account, row, approved)
    WHERE (SELECT as_read FROM house) = 0
) AS u
ON a.environment = u.environment AND a.account = u.account AND a.xmin = u.row
WHEN MATCHED THEN
    UPDATE SET approved = a.approved + u.approved
WHEN NOT MATCHED THEN
    INSERT (environment) VALUES (changed_since())
RETURNING pg_current_xact_id()::xid AS row;
