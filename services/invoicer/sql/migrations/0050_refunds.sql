-- What was paid back stands among the payments with its sign turned: their sum is what is paid, and
-- no refund can have the id of a payment. `reverses` is the payment that one undoes.
ALTER TABLE payment DROP CONSTRAINT payment_amount_check,
    ADD CONSTRAINT payment_amount_check CHECK (amount <> 0),
    ADD COLUMN reverses uuid,
    ADD CONSTRAINT payment_reverses_fkey FOREIGN KEY (environment, reverses) REFERENCES payment,
    ADD CONSTRAINT only_refunds_reverse CHECK (reverses IS NULL OR amount < 0);
CREATE INDEX payment_reversed ON payment (environment, reverses) WHERE reverses IS NOT NULL;
