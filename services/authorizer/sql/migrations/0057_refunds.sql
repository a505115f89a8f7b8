-- What was paid back of what was paid: a sum of its own, for each only rises.

ALTER TABLE account ADD COLUMN refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0);
GRANT UPDATE (refunded) ON account TO authorizer;

ALTER TABLE invoice_effect DROP CONSTRAINT invoice_effect_kind_check,
    ADD CONSTRAINT invoice_effect_kind_check
    CHECK (kind IN ('issued', 'credited', 'paid', 'refunded'));

CREATE TRIGGER refunded_only_rises
    BEFORE UPDATE OF refunded ON account
    FOR EACH ROW WHEN (new.refunded < old.refunded) EXECUTE FUNCTION sums_only_rise();
