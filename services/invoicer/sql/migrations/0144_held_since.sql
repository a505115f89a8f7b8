-- Since when whoever holds an account has it, of those that were another's: what was sold before is told
-- to him only where he is billed for it (docs/decisions/0144). NULL: not known, or always.
ALTER TABLE account ADD COLUMN held_since timestamptz;

-- By the database, for an older worker beside newer ones writes accounts too.
CREATE FUNCTION account_changed_hands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.held_since := now();
    RETURN NEW;
END $$;
CREATE TRIGGER account_changed_hands BEFORE UPDATE OF holder ON account FOR EACH ROW
    WHEN (OLD.holder IS DISTINCT FROM NEW.holder AND (OLD.holder IS NOT NULL OR OLD.held_since IS NOT NULL))
    EXECUTE FUNCTION account_changed_hands();
