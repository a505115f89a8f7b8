-- The way of new entries (docs/decisions/0084, 0092): two statements, each a transaction of its own,
-- or the second alone. As in journal.sql, rows can only be found by their keys.

-- name: look
-- The clock, how far these partitions were decided, and whether any of these was posted before.
SELECT now() AS now,
       (SELECT array_agg((SELECT p.next_offset FROM positions AS p
                          WHERE p.topic = b.topic AND p.partition = b.partition) ORDER BY place)
        FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS b (topic, partition, place)
       ) AS positions,
       EXISTS (
           SELECT
           FROM unnest($3::int[], $4::text[], $5::uuid[]) AS asked (environment, kind, source_id)
           CROSS JOIN LATERAL (
               SELECT FROM entry AS e
               WHERE e.environment = asked.environment AND e.kind = asked.kind
                 AND e.source_id = asked.source_id
               OFFSET 0) AS e) AS known

-- name: record_at_once
-- Positions, then balances in their order, then entries. An account's first entry makes its balance;
-- what comes to one that stands is added to it, for sums of journals know no order. All of it fails
-- where an entry was posted before, an account has another currency, or a position is behind what is
-- known (changed_since).
WITH behind AS MATERIALIZED (
    SELECT count(*) AS count
    FROM unnest($1::text[], $2::int[], $23::bigint[]) AS b (topic, partition, known)
    WHERE b.known > coalesce((SELECT p.next_offset FROM positions AS p
                              WHERE p.topic = b.topic AND p.partition = b.partition), 0)
), advanced AS (
    INSERT INTO positions AS p (topic, partition, next_offset, read_at)
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $24::bigint[]) ORDER BY 1, 2
    ON CONFLICT (topic, partition) DO UPDATE
    SET next_offset = greatest(p.next_offset, excluded.next_offset),
        read_at = greatest(p.read_at, excluded.read_at)
    RETURNING 1
), recorded AS (
    INSERT INTO entry (environment, kind, source_id, entry_id, account, refers_to, currency, at,
                       ledger_accounts, amounts, answer, posted_at)
    SELECT environment, kind, source_id, entry_id, account, refers_to, currency, at,
           ledger_accounts::text[], amounts::bigint[], answer, $22
    FROM unnest($4::int[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::uuid[], $10::text[],
                $11::timestamptz[], $12::text[], $13::text[], $14::bytea[])
        AS new (environment, kind, source_id, entry_id, account, refers_to, currency, at,
                ledger_accounts, amounts, answer)
)
INSERT INTO balance AS b (environment, account, currency, unbilled, billed, version, fingerprint, at)
SELECT change.*, $22
FROM unnest($15::int[], $16::text[], $17::text[], $18::bigint[], $19::bigint[], $20::bigint[],
            $21::bigint[])
    AS change (environment, account, currency, unbilled, billed, entries, fingerprint)
WHERE (SELECT count(*) FROM advanced) >= 0  -- always: after the positions are locked
  AND CASE WHEN (SELECT count FROM behind) = 0 THEN 0 ELSE changed_since() END = 0
ORDER BY environment, account COLLATE "C"
ON CONFLICT (environment, account) DO UPDATE
SET unbilled = CASE WHEN b.currency = excluded.currency THEN b.unbilled + excluded.unbilled
                    ELSE changed_since() END,
    billed = b.billed + excluded.billed,
    version = b.version + excluded.version,
    fingerprint = b.fingerprint # excluded.fingerprint,
    at = excluded.at
RETURNING environment, account, currency, unbilled, billed, version, at
