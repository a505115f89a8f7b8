-- Whether the environment of a new customer or account is known was asked row by row: a quarter of what
-- each cost an import here (docs/decisions/0111). It is asked once a statement now. That holds as well,
-- for an environment that is there stays there, and who logs in may move neither to another.
-- Sales and commands begin with an environment's row: who waits for this lock has none of the others.
LOCK TABLE environment, customer, account IN ACCESS EXCLUSIVE MODE;

CREATE FUNCTION environment_is_known() RETURNS trigger LANGUAGE plpgsql
    SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT environment FROM added) AS a
        WHERE NOT EXISTS (SELECT FROM environment AS e WHERE e.environment = a.environment)
    ) THEN
        RAISE EXCEPTION 'this environment is not known' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION environment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an environment stays' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER environment_is_known AFTER INSERT ON customer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION environment_is_known();
CREATE TRIGGER environment_is_known AFTER INSERT ON account
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION environment_is_known();
CREATE TRIGGER environment_stays BEFORE DELETE OR UPDATE OF environment ON environment
    FOR EACH ROW EXECUTE FUNCTION environment_stays();

ALTER TABLE customer DROP CONSTRAINT customer_environment_fkey;
ALTER TABLE account DROP CONSTRAINT account_environment_fkey;
