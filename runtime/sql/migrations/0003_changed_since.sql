-- What was decided without a lock is recorded only where it still stands as it was read: a
-- statement that finds it changed fails as a whole, and the batch is decided again.

CREATE FUNCTION changed_since() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'changed since it was read' USING ERRCODE = 'serialization_failure';
END $$;
