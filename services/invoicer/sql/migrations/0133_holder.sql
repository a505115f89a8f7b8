-- Whom an issued invoice was made out to: it is mailed again to nobody else (docs/decisions/0133). An
-- older worker writes none.
ALTER TABLE invoice ADD COLUMN holder uuid;
