-- The journal, append-only, and each account's balance, kept with it in one transaction.

-- Whether a journal is one: an amount (debit above zero, credit below) for each ledger account,
-- none of them nothing, together nothing. In a CHECK below, so that no code can post anything else.
-- Never NULL, which a CHECK would let through. The form of a rate is left to the domain and to
-- verify: a regular expression here costs a third of the whole insert.
CREATE FUNCTION is_journal(ledger_accounts text[], amounts bigint[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    name text;
    amount bigint;
    difference bigint := 0;
BEGIN
    IF array_ndims(amounts) IS DISTINCT FROM 1
        OR array_ndims(ledger_accounts) IS DISTINCT FROM 1
        OR cardinality(amounts) <> cardinality(ledger_accounts)
        OR cardinality(amounts) < 2
    THEN
        RETURN false;
    END IF;
    FOREACH amount IN ARRAY amounts LOOP
        IF amount IS NULL OR amount = 0 THEN
            RETURN false;
        END IF;
        difference := difference + amount;
    END LOOP;
    FOREACH name IN ARRAY ledger_accounts LOOP
        IF name IS NULL OR NOT (
            name IN ('bank', 'receivable:unbilled', 'receivable:billed')
            OR starts_with(name, 'revenue:') OR starts_with(name, 'vat:')
        ) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN difference = 0;
END $$;

CREATE TABLE entry (
    environment int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('charge', 'reversal', 'invoice', 'credit_note', 'payment')),
    source_id uuid NOT NULL,
    entry_id uuid NOT NULL,            -- uuid5 of the three above, made where the entry is made
    account text NOT NULL,
    refers_to uuid,                    -- the sale that is reversed, the invoice credited or paid
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    at timestamptz NOT NULL,           -- when it happened, for the books
    posted_at timestamptz NOT NULL DEFAULT now(),
    -- The legs stand inside their entry: neither can be there without the other.
    ledger_accounts text[] NOT NULL,
    amounts bigint[] NOT NULL,         -- minor units: debit above zero, credit below
    answer bytea NOT NULL,             -- entry.posted as it was published, for ever
    CONSTRAINT entry_once PRIMARY KEY (environment, kind, source_id),
    CONSTRAINT entry_is_journal CHECK (is_journal(ledger_accounts, amounts)),
    CONSTRAINT entry_refers CHECK ((refers_to IS NULL) = (kind IN ('charge', 'invoice')))
);
-- An account's statement. Without the time, so that equal keys share their place in the index.
CREATE INDEX entry_account ON entry (environment, account);

CREATE TABLE balance (
    environment int NOT NULL,
    account text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    unbilled bigint NOT NULL DEFAULT 0,
    billed bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),   -- its number of entries
    fingerprint bigint NOT NULL DEFAULT 0,                    -- exclusive or of theirs
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT balance_once PRIMARY KEY (environment, account)
) WITH (fillfactor = 80);              -- every change in place: no index holds what changes

-- The legs as bookkeepers read them.
CREATE VIEW leg AS
SELECT e.environment, e.account, e.entry_id, e.kind, e.source_id, e.at, e.posted_at, e.currency,
       l.number, l.ledger_account, greatest(l.amount, 0) AS debit, greatest(-l.amount, 0) AS credit
FROM entry e,
     unnest(e.ledger_accounts, e.amounts) WITH ORDINALITY AS l (ledger_account, amount, number);

-- Append-only: what is posted is changed and removed by nobody who logs in.
GRANT SELECT, INSERT ON entry TO ledger;
GRANT SELECT ON leg TO ledger;
GRANT SELECT, INSERT, UPDATE (unbilled, billed, version, fingerprint, at) ON balance TO ledger;
