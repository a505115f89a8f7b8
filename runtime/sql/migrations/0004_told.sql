-- What was told of a message that takes no id's place, and is remembered nowhere else: the first
-- time's bytes, so that whoever sends the message again is told the same.

CREATE TABLE told (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),   -- of the answer's ce_id
    ce_time timestamptz NOT NULL,
    value bytea NOT NULL
);

DO $$ BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON told TO %I', current_schema());
END $$;
