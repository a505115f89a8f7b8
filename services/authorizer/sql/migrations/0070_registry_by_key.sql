-- The registry's statements are planned once too (docs/decisions/0033, 0064): what is found by its key
-- must have but one index to be found with. None but the key's own begins with the environment.
DROP INDEX account_holder;
CREATE INDEX account_holder ON account (holder, environment) WHERE holder IS NOT NULL;
DROP INDEX account_viewer_customer;
CREATE INDEX account_viewer_customer ON account_viewer (customer_id, environment);
DROP INDEX invoice_effect_account;
CREATE INDEX invoice_effect_account ON invoice_effect (account, environment);
