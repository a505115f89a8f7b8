-- Under which names a customer was shown to tills before it was renamed: they are told no more, and go
-- from what tills were told when it is erased. Not known of who was renamed before this.
ALTER TABLE customer
    ADD COLUMN earlier_names text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT erased_has_no_earlier_names CHECK (NOT erased OR earlier_names = '{}');
GRANT UPDATE (earlier_names) ON customer TO authorizer;
