-- What the code never does, and what the database now refuses to whoever goes round it: each costs
-- nothing where it holds, for a trigger's WHEN is looked at before any function is called.

-- The five sums only rise: what is taken back, credited or paid has a sum of its own.
CREATE FUNCTION sums_only_rise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a sum only rises' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER sums_only_rise
    BEFORE UPDATE OF approved, reversed, issued, credited, paid ON account
    FOR EACH ROW
    WHEN (new.approved < old.approved OR new.reversed < old.reversed OR new.issued < old.issued
          OR new.credited < old.credited OR new.paid < old.paid)
    EXECUTE FUNCTION sums_only_rise();
CREATE TRIGGER reversed_only_rises
    BEFORE UPDATE OF reversed ON sale
    FOR EACH ROW WHEN (new.reversed < old.reversed) EXECUTE FUNCTION sums_only_rise();
ALTER TABLE invoice_effect ADD CONSTRAINT effect_is_not_negative CHECK (amount >= 0);

-- What was taken off a sale is known line by line, or nothing can be taken off it any more.
ALTER TABLE sale ADD CONSTRAINT reversed_by_line
    CHECK (reversed = 0 OR reversed_lines IS NOT NULL);

-- The answer to a recorded sale is its answer for ever, declined too; and an id that was answered
-- stands for one content.
DROP TRIGGER approved_sale_stands ON sale;
DROP FUNCTION approved_sale_stands;
CREATE FUNCTION answer_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was answered stands' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER answer_stands
    BEFORE UPDATE OF state, recorded, account, digest, total, decided_at, answer ON sale
    FOR EACH ROW
    WHEN (old.state = 'approved' OR (old.state = 'declined' AND old.recorded)
          OR (old.digest IS NOT NULL AND new.digest IS DISTINCT FROM old.digest))
    EXECUTE FUNCTION answer_stands();
