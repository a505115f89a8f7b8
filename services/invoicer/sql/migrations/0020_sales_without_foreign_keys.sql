-- Of what a sale costs PostgreSQL here, three fifths were these checks, one for the sale and one
-- for each line (docs/performance.md). Both hold without them: a sale's account is locked, and
-- added where it is new, in the transaction that adds the sale; lines are inserted by the very
-- statement that inserts their sale; and none of the three may be deleted by anybody who logs in.
-- `invoices verify` looks for what stands alone all the same.
ALTER TABLE sale DROP CONSTRAINT sale_environment_account_fkey;
ALTER TABLE sale_line DROP CONSTRAINT sale_line_environment_sale_id_fkey;
