-- As in 0001, and each ledger account stands in a journal once (docs/decisions/0005).
CREATE OR REPLACE FUNCTION is_journal(ledger_accounts text[], amounts bigint[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    name text;
    amount bigint;
    difference bigint := 0;
    place int := 0;
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
        place := place + 1;
        IF name IS NULL OR NOT (
            name IN ('bank', 'receivable:unbilled', 'receivable:billed')
            OR starts_with(name, 'revenue:') OR starts_with(name, 'vat:')
        ) OR place > 1 AND array_position(ledger_accounts, name) < place THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN difference = 0;
END $$;
