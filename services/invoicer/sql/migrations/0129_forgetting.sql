-- What no law asks for goes when a customer is erased (docs/decisions/0129): deleted drafts keep
-- nothing of their buyer, and statements of the accounts that the customer ever had to do with go.

LOCK TABLE account, invoice, statement, document, job IN SHARE ROW EXCLUSIVE MODE;

-- Who held an account or might look at it, ever since: an erased customer is untied from its accounts
-- at once, and what was made for it before is found by them. Ids alone, no name.
CREATE TABLE tie (
    environment int NOT NULL,
    customer_id uuid NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (environment, customer_id, account)
);
GRANT SELECT, INSERT ON tie TO invoicer;

-- By the database, for an older worker beside newer ones writes accounts too.
CREATE FUNCTION account_ties() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tie (environment, customer_id, account)
    SELECT a.environment, a.holder, a.account FROM written AS a WHERE a.holder IS NOT NULL
    UNION
    SELECT a.environment, v.customer_id::uuid, a.account FROM written AS a
    CROSS JOIN jsonb_array_elements_text(coalesce(a.state -> 'viewers', '[]')) AS v (customer_id)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER account_ties_added AFTER INSERT ON account
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION account_ties();
CREATE TRIGGER account_ties_changed AFTER UPDATE ON account
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION account_ties();

INSERT INTO tie (environment, customer_id, account)
SELECT environment, holder, account FROM account WHERE holder IS NOT NULL
UNION
SELECT a.environment, v.customer_id::uuid, a.account FROM account AS a
CROSS JOIN jsonb_array_elements_text(coalesce(a.state -> 'viewers', '[]')) AS v (customer_id);

-- What was issued stays, whoever asks: its buyer as it was, and its files.
CREATE FUNCTION issued_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was issued stays as it is'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER buyer_stays BEFORE UPDATE OF buyer ON invoice FOR EACH ROW
    WHEN (OLD.number IS NOT NULL AND OLD.buyer IS DISTINCT FROM NEW.buyer)
    EXECUTE FUNCTION issued_stays();

CREATE FUNCTION document_stays() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM number AS n
               WHERE (n.environment, n.document_id) = (OLD.environment, OLD.document_id)) THEN
        RAISE EXCEPTION 'what was issued stays as it is'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER document_stays BEFORE DELETE ON document FOR EACH ROW
    WHEN (NOT OLD.draft) EXECUTE FUNCTION document_stays();

GRANT DELETE ON document TO invoicer;
GRANT UPDATE (holder) ON statement TO invoicer;

-- Deleted drafts that keep a buyer still: an older worker's, and those of before.
CREATE INDEX invoice_deleted_named ON invoice (environment, invoice_id)
    WHERE status = 'deleted' AND buyer #>> '{address,country}' <> '';
CREATE INDEX statement_of_account ON statement (environment, account);
-- Statements that were asked for of an account: their jobs hold the addresses that they go to.
CREATE INDEX job_statement ON job
    ((payload #>> '{request,environment}'), (payload #>> '{request,account}'))
    WHERE kind = 'statement';

-- Of who was erased until now nobody knows the accounts: there all statements and drafts go through it.
INSERT INTO job (kind, ref, payload)
SELECT 'forget', e.environment || '/before', jsonb_build_object(
    'environment', e.environment, 'customers', '[]'::jsonb,
    'everything', EXISTS (SELECT FROM customer AS c
                          WHERE c.environment = e.environment AND (c.state ->> 'erased')::boolean))
FROM environment AS e;
