-- name: entries_to_check
SELECT environment, kind, source_id::text, entry_id::text, account, currency, at,
       ledger_accounts, amounts, answer
FROM entry

-- name: entries_by_kind
SELECT kind, count(*) AS entries FROM entry GROUP BY kind ORDER BY kind

-- name: unsound_balances
-- Every balance that is not what its journals add up to; one that is missing, and one without any.
-- The fingerprint is the first 8 bytes of each answer's SHA-256, by exclusive or: so an entry that
-- was changed, or two that were removed and cancel out, show too.
WITH recomputed AS (
    SELECT environment, account, count(*) AS entries,
           min(currency) AS currency, max(currency) AS last_currency,
           sum((SELECT coalesce(sum(amount), 0) FROM unnest(ledger_accounts, amounts)
                AS leg (name, amount) WHERE name = 'receivable:unbilled')) AS unbilled,
           sum((SELECT coalesce(sum(amount), 0) FROM unnest(ledger_accounts, amounts)
                AS leg (name, amount) WHERE name = 'receivable:billed')) AS billed,
           bit_xor(('x' || encode(substring(sha256(answer) FROM 1 FOR 8), 'hex'))::bit(64)::bigint)
               AS fingerprint
    FROM entry
    GROUP BY environment, account
)
SELECT environment, account, b.account IS NULL AS missing,
       b.currency AS kept_currency, r.currency, r.last_currency,
       b.unbilled AS kept_unbilled, coalesce(r.unbilled, 0)::text AS unbilled,
       b.billed AS kept_billed, coalesce(r.billed, 0)::text AS billed,
       b.version AS kept_entries, coalesce(r.entries, 0) AS entries,
       b.fingerprint IS DISTINCT FROM coalesce(r.fingerprint, 0) AS changed
FROM balance b
FULL JOIN recomputed r USING (environment, account)
WHERE (b.unbilled, b.billed, b.version, b.fingerprint) IS DISTINCT FROM
      (coalesce(r.unbilled, 0), coalesce(r.billed, 0), coalesce(r.entries, 0),
       coalesce(r.fingerprint, 0))
   OR r.currency <> r.last_currency OR r.currency <> b.currency
ORDER BY environment, account

-- name: count_balances
SELECT count(*) FROM balance

-- name: repeated_entries
-- The primary key forbids it: so this says that the key is gone or its index broken.
SELECT environment, kind, source_id::text, min(account) AS account, count(*) AS times
FROM entry
GROUP BY environment, kind, source_id
HAVING count(*) > 1
ORDER BY environment, kind, source_id

-- name: entries_without_origin
-- A reversal without its charge, a credit note or payment without its invoice. Messages come in
-- any order, so for a while that is as it should be: `late` tells which have waited too long.
SELECT e.environment, e.kind, e.entry_id::text, e.account, e.refers_to::text,
       e.posted_at < now() - $1::interval AS late
FROM entry e
WHERE e.refers_to IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM entry o
      WHERE o.environment = e.environment
        AND o.kind = CASE e.kind WHEN 'reversal' THEN 'charge' ELSE 'invoice' END
        AND o.source_id = e.refers_to
  )
ORDER BY e.environment, e.account, e.posted_at

-- name: missing_guards
-- What keeps the journal as it is, and isn't there: a constraint, or a right too many.
SELECT 'constraint ' || name || ' is missing' AS guard
FROM unnest(ARRAY['entry_once', 'entry_is_journal', 'entry_refers', 'balance_once']) AS name
WHERE NOT EXISTS (
    SELECT FROM pg_constraint c
    WHERE c.conname = name AND c.convalidated
      AND c.conrelid IN ('entry'::regclass, 'balance'::regclass)
)
UNION ALL
SELECT 'is_journal takes what is no journal'
WHERE is_journal('{bank,receivable:billed}', '{1,1}')
   OR is_journal('{bank,bank}', '{1,-1}') OR is_journal('{bank}', '{1}')
UNION ALL
SELECT 'the ledger may ' || lower(privilege) || ' entries'
FROM unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege
WHERE has_table_privilege('ledger', 'entry', privilege)
UNION ALL
SELECT 'the ledger may update entries'
WHERE has_any_column_privilege('ledger', 'entry', 'UPDATE')
UNION ALL
SELECT 'the ledger may ' || lower(privilege) || ' balances'
FROM unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege
WHERE has_table_privilege('ledger', 'balance', privilege)

-- name: trial_balance
SELECT environment, currency, ledger_account,
       sum(debit)::text AS debit, sum(credit)::text AS credit
FROM leg
GROUP BY environment, currency, ledger_account
ORDER BY environment, currency, ledger_account
