-- How much of which sales an invoice or a credit note is about. A sale that was taken back after it
-- was invoiced makes a credit due; in the account's sums alone that hides as much of what was sold
-- since and is on no invoice yet. Not known of what came before this.
ALTER TABLE invoice_effect
    ADD COLUMN sales uuid[],
    ADD COLUMN amounts bigint[],
    ADD CONSTRAINT an_amount_a_sale CHECK (
        num_nulls(sales, amounts) IN (0, 2)
        AND (sales IS NULL OR cardinality(sales) = cardinality(amounts))
    ),
    ADD CONSTRAINT payments_name_no_sales CHECK (kind <> 'paid' OR sales IS NULL);
