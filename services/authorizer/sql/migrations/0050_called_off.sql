-- A sale that was declined, and then cancelled as a whole on its account: it stays declined when it
-- turns out to have been made all the same. (A cancellation that comes before any word of its sale
-- is found among the cancellations: on which account the sale will be is not known then.)
ALTER TABLE sale
    ADD COLUMN called_off boolean NOT NULL DEFAULT false
    CONSTRAINT called_off_is_not_sold CHECK (NOT called_off OR state = 'declined');
GRANT UPDATE (called_off) ON sale TO authorizer;
