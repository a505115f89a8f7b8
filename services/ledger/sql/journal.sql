-- These statements are planned once (runtime/database.py, BY_KEY), perhaps when a table is still
-- empty. So they are written in such a way that a row can only be found by its key: a lateral
-- subquery or a merge can't be turned round, as a join can, to begin with the whole table.

-- name: open_balances
-- FOR UPDATE locks nothing where there is no row: an account's first entry makes it here.
INSERT INTO balance (environment, account, currency)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING

-- name: lock_balances
-- One order for everyone: two batches that share accounts wait for each other, never in a circle.
-- Gives each balance as it stands, so that what it comes to need not be read to be told; null where
-- there is none yet.
-- Row by row, without joining what was locked to what was wanted: hash joins are off here, and a
-- thousand accounts would be compared with a thousand.
SELECT w.environment, w.account, l.currency, l.unbilled, l.billed, l.version
FROM (SELECT * FROM unnest($1::int[], $2::text[]) AS u (environment, account)
      ORDER BY environment, account COLLATE "C") AS w
LEFT JOIN LATERAL (
    SELECT b.currency, b.unbilled, b.billed, b.version
    FROM balance AS b
    WHERE b.environment = w.environment AND b.account = w.account
    FOR NO KEY UPDATE) AS l ON true

-- name: recall_entries
-- A statement of its own, after the locks: it sees what was committed while we waited for them.
SELECT e.environment, e.kind, e.source_id::text, e.account, e.currency,
       e.posted_at, e.ledger_accounts, e.amounts, e.answer
FROM unnest($1::int[], $2::text[], $3::uuid[]) AS asked (environment, kind, source_id)
CROSS JOIN LATERAL (
    SELECT e.*
    FROM entry AS e
    WHERE e.environment = asked.environment AND e.kind = asked.kind
      AND e.source_id = asked.source_id
    OFFSET 0) AS e

-- name: record_entries
-- New entries, and what they do to the balances, which are locked. Arrays of arrays must have one
-- length each, so the legs come as PostgreSQL writes arrays.
WITH recorded AS (
    INSERT INTO entry (environment, kind, source_id, entry_id, account, refers_to, currency, at,
                       ledger_accounts, amounts, answer)
    SELECT environment, kind, source_id, entry_id, account, refers_to, currency, at,
           ledger_accounts::text[], amounts::bigint[], answer
    FROM unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[],
                $8::timestamptz[], $9::text[], $10::text[], $11::bytea[])
        AS new (environment, kind, source_id, entry_id, account, refers_to, currency, at,
                ledger_accounts, amounts, answer)
)
MERGE INTO balance AS b
USING unnest($12::int[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
    AS change (environment, account, unbilled, billed, entries, fingerprint)
ON b.environment = change.environment AND b.account = change.account
WHEN MATCHED THEN
    UPDATE SET unbilled = b.unbilled + change.unbilled,
               billed = b.billed + change.billed,
               version = b.version + change.entries,
               fingerprint = b.fingerprint # change.fingerprint,
               at = now()
WHEN NOT MATCHED THEN DO NOTHING

-- name: read_balances
-- Without a version it was opened for a message that turned out to be another account's.
SELECT b.environment, b.account, b.currency, b.unbilled, b.billed, b.version, b.at
FROM unnest($1::int[], $2::text[]) AS wanted (environment, account)
CROSS JOIN LATERAL (
    SELECT b.*
    FROM balance AS b
    WHERE b.environment = wanted.environment AND b.account = wanted.account
    OFFSET 0) AS b
WHERE b.version > 0

-- name: read_versions
SELECT b.environment, b.account, b.version
FROM unnest($1::int[], $2::text[]) AS wanted (environment, account)
CROSS JOIN LATERAL (
    SELECT b.*
    FROM balance AS b
    WHERE b.environment = wanted.environment AND b.account = wanted.account
    OFFSET 0) AS b
