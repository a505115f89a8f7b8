-- The importer's own copy of the registry, the uploads with their bytes, and what they will do.

-- --- the registry's state, as its topic tells it ------------------------------------------------

CREATE TABLE environment (
    environment int PRIMARY KEY,
    version bigint NOT NULL,
    gdpr_accepted boolean NOT NULL,
    import_enabled boolean NOT NULL,
    language text NOT NULL CHECK (language IN ('nl', 'en'))
);

CREATE TABLE customer (
    environment int NOT NULL,
    customer_id uuid NOT NULL,
    version bigint NOT NULL,
    erased boolean NOT NULL,
    fields jsonb NOT NULL,             -- as customer.register has them; empty once erased
    email_key text,                    -- what it is matched by; null for a made-up address
    name_keys text[] NOT NULL,
    PRIMARY KEY (environment, customer_id),
    CHECK (NOT erased OR (fields = '{}' AND email_key IS NULL AND name_keys = '{}'))
);
CREATE INDEX customer_email ON customer (environment, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX customer_names ON customer USING gin (name_keys);

CREATE TABLE account (
    environment int NOT NULL,
    account text NOT NULL,
    version bigint NOT NULL,
    fields jsonb NOT NULL,             -- description, status, limit, on_account, in_overview
    holder uuid,
    series bigint NOT NULL,            -- its number in "environment + series"; 0: not of it
    PRIMARY KEY (environment, account)
);
CREATE INDEX account_holder ON account (environment, holder) WHERE holder IS NOT NULL;
CREATE INDEX account_series ON account (environment, series);

-- How often the copy of an environment changed: a preview that is older than a change is stale.
CREATE TABLE heard (
    environment int PRIMARY KEY,
    changes bigint NOT NULL
);

-- --- uploads ----------------------------------------------------------------------------------

CREATE TABLE upload (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'received' CHECK (status IN
        ('received', 'previewed', 'running', 'completed', 'failed', 'cancelled', 'expired', 'undone')),
    head bytea NOT NULL,               -- digest of what all parts of one upload have in common
    file_name text NOT NULL,
    sha256 text NOT NULL,
    parts int NOT NULL CHECK (parts >= 1),
    mode text NOT NULL CHECK (mode IN ('preview', 'import')),
    sheet text,
    mapping jsonb,
    defaults jsonb NOT NULL,
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    language text NOT NULL DEFAULT 'en',
    confirmed_by text,
    confirmed_at timestamptz,
    stop_asked boolean NOT NULL DEFAULT false,
    kept_bytes bigint NOT NULL DEFAULT 0 CHECK (kept_bytes >= 0),
    layout jsonb,                      -- the sheet, its header row and its columns, once found
    planned_at_change bigint,          -- heard.changes when the rows were planned
    rows int NOT NULL DEFAULT 0,
    created int NOT NULL DEFAULT 0,
    changed int NOT NULL DEFAULT 0,
    unchanged int NOT NULL DEFAULT 0,
    refused int NOT NULL DEFAULT 0,
    PRIMARY KEY (environment, job_id),
    CHECK (status <> 'completed' OR created + changed + unchanged + refused = rows)
);
CREATE INDEX upload_kept ON upload (kept_bytes) WHERE kept_bytes > 0;

CREATE TABLE upload_part (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    part int NOT NULL CHECK (part >= 1),
    digest bytea NOT NULL,             -- stays, so that a repetition is known from another content
    content bytea,                     -- gone when the job ends
    PRIMARY KEY (environment, job_id, part),
    FOREIGN KEY (environment, job_id) REFERENCES upload
);
-- Workbooks are zip files: compressing them again costs time and saves nothing.
ALTER TABLE upload_part ALTER content SET STORAGE EXTERNAL;

-- What was answered about a job, to be said again, byte for byte, when it is asked again.
CREATE TABLE said (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    ce_id text NOT NULL,
    ce_type text NOT NULL,
    ce_time timestamptz NOT NULL,
    value bytea NOT NULL,
    at_part int NOT NULL,              -- the part whose repetition is answered with it
    PRIMARY KEY (environment, job_id, ce_id),
    FOREIGN KEY (environment, job_id) REFERENCES upload
);

-- --- what an upload will do ---------------------------------------------------------------------

CREATE TABLE planned_row (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    row int NOT NULL CHECK (row >= 1),
    verdict text NOT NULL CHECK (verdict IN ('create', 'change', 'unchanged', 'refused')),
    problems jsonb NOT NULL,
    warnings jsonb NOT NULL,
    PRIMARY KEY (environment, job_id, row),
    FOREIGN KEY (environment, job_id) REFERENCES upload
);

CREATE TABLE command (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    row int NOT NULL,
    step int NOT NULL,
    command_id uuid NOT NULL,
    type text NOT NULL,
    body jsonb NOT NULL,
    before jsonb NOT NULL,             -- what the fields were, for an undo
    after uuid,                        -- sent once that one was applied
    sent_at timestamptz,
    outcome text CHECK (outcome IN ('applied', 'refused')),
    effect text CHECK (effect IN ('created', 'changed', 'unchanged')),
    message text,                      -- why it was refused, or what deserves a look
    PRIMARY KEY (environment, job_id, row, step),
    UNIQUE (environment, command_id),
    FOREIGN KEY (environment, job_id, row) REFERENCES planned_row
);
CREATE INDEX command_unsent ON command (environment, job_id, row, step)
    WHERE sent_at IS NULL AND outcome IS NULL;
CREATE INDEX command_open ON command (environment, job_id, row) WHERE outcome IS NULL;
CREATE INDEX command_after ON command (environment, after) WHERE outcome IS NULL;

-- What customers and accounts will be once the rows so far are carried out; gone with the job.
CREATE TABLE planned_customer (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    made_by int,
    fields jsonb NOT NULL,
    said_by jsonb NOT NULL,
    email_key text,
    name_keys text[] NOT NULL,
    PRIMARY KEY (environment, job_id, customer_id),
    FOREIGN KEY (environment, job_id) REFERENCES upload
);
CREATE INDEX planned_customer_email ON planned_customer (environment, job_id, email_key);
CREATE INDEX planned_customer_names ON planned_customer USING gin (name_keys);

CREATE TABLE planned_account (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    account text NOT NULL,
    row int,
    fields jsonb NOT NULL,
    holder uuid,
    series bigint NOT NULL,
    PRIMARY KEY (environment, job_id, account),
    FOREIGN KEY (environment, job_id) REFERENCES upload
);
CREATE INDEX planned_account_holder ON planned_account (environment, job_id, holder);
CREATE INDEX planned_account_series ON planned_account (environment, series);

GRANT SELECT, INSERT, UPDATE ON environment, customer, account, heard TO importer;
GRANT SELECT, INSERT, UPDATE ON upload, upload_part TO importer;
GRANT SELECT, INSERT ON said TO importer;
GRANT SELECT, INSERT, UPDATE, DELETE ON planned_row, command TO importer;
GRANT SELECT, INSERT, UPDATE, DELETE ON planned_customer, planned_account TO importer;
