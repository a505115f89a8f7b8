-- The copy of the registry is written for each customer and account that an import makes: what that
-- cost without being asked for goes.

-- A customer has a company's name, a person's, or both: two ordinary indexes, of which one is
-- mostly not written, instead of an inverted one. The name comes first: see 0070 of the authorizer.
ALTER TABLE customer ADD name_key text, ADD other_name_key text;
UPDATE customer SET name_key = name_keys[1], other_name_key = name_keys[2];
ALTER TABLE customer DROP name_keys;   -- and with it the index and the check of erased ones
ALTER TABLE customer ADD CHECK (
    NOT erased OR (fields = '{}' AND email_key IS NULL AND name_key IS NULL AND other_name_key IS NULL));
CREATE INDEX customer_name ON customer (name_key, environment) WHERE name_key IS NOT NULL;
CREATE INDEX customer_other_name ON customer (other_name_key, environment)
    WHERE other_name_key IS NOT NULL;

-- No account is ever taken out, so the highest number of a series only rises.
ALTER TABLE heard ADD last_in_series bigint NOT NULL DEFAULT 0;
INSERT INTO heard AS h (environment, changes, last_in_series)
SELECT environment, 1, max(series) FROM account GROUP BY environment
ON CONFLICT (environment) DO UPDATE SET last_in_series = excluded.last_in_series;
ALTER TABLE account DROP series;       -- and with it its index

-- What a bundle made, as its outcome says it: waited for in registry.state without reading its steps
-- again. Of what ended before nothing is waited for.
ALTER TABLE bundle
    ADD made_customers uuid[] NOT NULL DEFAULT '{}',
    ADD made_accounts text[] NOT NULL DEFAULT '{}';
