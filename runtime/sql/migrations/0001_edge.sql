-- What the edge keeps in every service's schema: how far each partition was decided, the jobs,
-- and the answers of jobs that are not yet known to be published.

CREATE TABLE positions (
    topic text NOT NULL,
    partition int NOT NULL CHECK (partition >= 0),
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (topic, partition)
);

CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    ref text NOT NULL,
    payload jsonb NOT NULL,
    serial text,                       -- jobs of one serial key run one after another
    barrier jsonb,                     -- [{topic, partition, ends}]: taken up once positions are there
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    due_at timestamptz NOT NULL DEFAULT now(),
    lease uuid,                        -- the fence: a step commits only while it holds this
    leased_until timestamptz,
    attempts int NOT NULL DEFAULT 0,   -- failures of our own code since the last step
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    UNIQUE (kind, ref),
    CHECK ((lease IS NULL) = (leased_until IS NULL)),
    CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE INDEX job_open ON job (kind, due_at, id) WHERE state = 'open';
-- Whatever two workers see at the same moment: one after another.
CREATE UNIQUE INDEX job_serial_lease ON job (serial) WHERE state = 'open' AND lease IS NOT NULL;
CREATE INDEX job_serial ON job (serial, id) WHERE state = 'open' AND serial IS NOT NULL;

CREATE TABLE unpublished (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- an answer ...
    topic text, key text, ce_id text, ce_type text, ce_time timestamptz, value bytea,
    -- ... or a state record's name, published as its row stands then
    state_kind text, state_key jsonb,
    CHECK (num_nulls(topic, key, ce_id, ce_type, ce_time, value) IN (0, 6)),
    CHECK ((topic IS NULL) = (state_kind IS NOT NULL)),
    CHECK ((state_kind IS NULL) = (state_key IS NULL))
);

DO $$ BEGIN
    -- The login role is named as the schema.
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON positions TO %I', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON job TO %I', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON unpublished TO %I', current_schema());
END $$;
