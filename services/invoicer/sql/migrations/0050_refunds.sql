-- What was paid back stands among the payments with its sign turned: their sum is what is paid, and
-- no refund can have the id of a payment.
ALTER TABLE payment DROP CONSTRAINT payment_amount_check,
    ADD CONSTRAINT payment_amount_check CHECK (amount <> 0);
