-- name: decided_up_to
SELECT topic, partition, next_offset FROM positions

-- name: entries_of_sources
-- Each source with its entry, if it has one; `number` counts the given ones from 1.
SELECT asked.number, e.ctid, e.entry_id::text, e.account, e.currency, e.refers_to::text, e.at,
       e.ledger_accounts, e.amounts
FROM unnest($1::int[], $2::text[], $3::uuid[]) WITH ORDINALITY
    AS asked (environment, kind, source_id, number)
LEFT JOIN entry e USING (environment, kind, source_id)

-- name: answers_of_sources
SELECT asked.number, e.ctid, e.answer
FROM unnest($1::int[], $2::text[], $3::uuid[]) WITH ORDINALITY
    AS asked (environment, kind, source_id, number)
LEFT JOIN entry e USING (environment, kind, source_id)

-- name: entries_in_place
-- `late` tells which have waited too long to be on their way still.
SELECT ctid, environment, account, entry_id::text, posted_at < now() - $1::interval AS late
FROM entry

-- name: balances_of_accounts
SELECT asked.number, b.ctid, b.version, b.currency, b.unbilled, b.billed
FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS asked (environment, account, number)
LEFT JOIN balance b USING (environment, account)

-- name: balances_in_place
SELECT ctid, environment, account, version, at < now() - $1::interval AS late
FROM balance WHERE version > 0
