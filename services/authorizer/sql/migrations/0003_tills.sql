-- What tills asked of the directory, and what they were told.

-- What stands behind the on-account button at one revision of an environment, page by page.
-- Sessions share it, so that 200 tills that sign on cost one reading, and one that asks again
-- gets the same bytes.
CREATE TABLE directory (
    environment int NOT NULL REFERENCES environment,
    revision bigint NOT NULL CHECK (revision > 0),
    pages bytea[] NOT NULL CHECK (cardinality(pages) > 0),
    PRIMARY KEY (environment, revision)
);

CREATE TABLE session (
    environment int NOT NULL,
    session_id uuid NOT NULL,
    terminal text NOT NULL,
    revision bigint,
    reason text,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (environment, session_id),
    FOREIGN KEY (environment, revision) REFERENCES directory,
    CHECK ((revision IS NULL) = (reason IS NOT NULL))
);

CREATE TABLE search (
    environment int NOT NULL,
    search_id uuid NOT NULL,
    terminal text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    answered_at timestamptz NOT NULL,
    answer bytea NOT NULL,
    PRIMARY KEY (environment, search_id)
);

GRANT SELECT, INSERT ON directory, session, search TO authorizer;
