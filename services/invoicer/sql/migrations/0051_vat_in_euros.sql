-- Where a Dutch venue bills in another currency, its VAT is said in euros too (art. 230 of the VAT
-- directive): at the rate that a person set for the day of issue, kept with what was issued.

CREATE TABLE exchange_rate (
    environment int NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$' AND currency <> 'EUR'),
    valid_from date NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- of two for one day the later counts
    command_id uuid NOT NULL,
    rate numeric NOT NULL CHECK (rate > 0),                  -- euros for one unit
    set_by text NOT NULL,
    PRIMARY KEY (environment, command_id)
);
CREATE INDEX exchange_rate_on ON exchange_rate (environment, currency, valid_from, set_at);
GRANT SELECT, INSERT ON exchange_rate TO invoicer;

ALTER TABLE invoice ADD COLUMN vat_euro bigint, ADD COLUMN exchange_rate numeric,
    ADD CONSTRAINT vat_euro_has_its_rate CHECK (num_nulls(vat_euro, exchange_rate) IN (0, 2));
ALTER TABLE credit_note ADD COLUMN vat_euro bigint, ADD COLUMN exchange_rate numeric,
    ADD CONSTRAINT vat_euro_has_its_rate CHECK (num_nulls(vat_euro, exchange_rate) IN (0, 2));
