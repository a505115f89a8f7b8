-- name: open_balances
-- FOR UPDATE locks nothing where there is no row: an account's first entry makes it here.
INSERT INTO balance (environment, account, currency)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING

-- name: lock_balances
-- One order for everyone: two batches that share accounts wait for each other, never in a circle.
-- Gives only the accounts that are in another currency than was thought: commonly none.
WITH locked AS MATERIALIZED (
    SELECT b.environment, b.account, b.currency, wanted.currency AS given
    FROM balance b
    JOIN unnest($1::int[], $2::text[], $3::text[]) AS wanted (environment, account, currency)
        USING (environment, account)
    ORDER BY b.environment, b.account
    FOR NO KEY UPDATE OF b
)
SELECT environment, account, currency FROM locked WHERE currency <> given

-- name: recall_entries
-- A statement of its own, after the locks: it sees what was committed while we waited for them.
SELECT e.environment, e.kind, e.source_id::text, e.account, e.currency,
       e.posted_at, e.ledger_accounts, e.amounts, e.answer
FROM entry e
JOIN unnest($1::int[], $2::text[], $3::uuid[]) AS asked (environment, kind, source_id)
    USING (environment, kind, source_id)

-- name: record_entries
-- Arrays of arrays must have one length each, so the legs come as PostgreSQL writes arrays.
INSERT INTO entry (environment, kind, source_id, entry_id, account, refers_to, currency, at,
                   ledger_accounts, amounts, answer)
SELECT environment, kind, source_id, entry_id, account, refers_to, currency, at,
       ledger_accounts::text[], amounts::bigint[], answer
FROM unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[],
            $8::timestamptz[], $9::text[], $10::text[], $11::bytea[])
    AS new (environment, kind, source_id, entry_id, account, refers_to, currency, at,
            ledger_accounts, amounts, answer)

-- name: change_balances
UPDATE balance b
SET unbilled = b.unbilled + change.unbilled,
    billed = b.billed + change.billed,
    version = b.version + change.entries,
    fingerprint = b.fingerprint # change.fingerprint,
    at = now()
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS change (environment, account, unbilled, billed, entries, fingerprint)
WHERE b.environment = change.environment AND b.account = change.account

-- name: read_balances
-- Without a version it was opened for a message that turned out to be another account's.
SELECT b.environment, b.account, b.currency, b.unbilled, b.billed, b.version, b.at
FROM balance b
JOIN unnest($1::int[], $2::text[]) AS wanted (environment, account) USING (environment, account)
WHERE b.version > 0
