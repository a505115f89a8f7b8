-- Null where the row that makes a customer said all that it is: nearly always, and as long as the
-- fields themselves.
ALTER TABLE planned_customer ALTER said_by DROP NOT NULL;
