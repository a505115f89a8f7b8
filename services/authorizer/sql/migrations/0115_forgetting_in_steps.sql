-- Names of erased customers that are still to go from what tills were told: of a large venue that is
-- gigabytes, and took longer than a statement may (docs/decisions/0115). A name is gone from here
-- when it is gone from there.
CREATE TABLE forgetting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment int NOT NULL,
    name text NOT NULL,
    -- What was told until then: whoever was shown later under the same name is another.
    revision bigint NOT NULL
);
GRANT SELECT, INSERT, DELETE ON forgetting TO authorizer;

-- Of which revision a search was answered. Null where it was told before this, or by an older worker:
-- of such a one nobody knows whom it shows, and the name goes.
ALTER TABLE search ADD COLUMN revision bigint;
