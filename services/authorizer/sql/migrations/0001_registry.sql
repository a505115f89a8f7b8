-- Environments, customers and accounts: what the registry's commands make, and the five sums that
-- say how much of an account's limit is used.
--
-- Text that is compared or sorted by has collation "C": the same everywhere, and quick. What a
-- person sees sorted is sorted in Python.

CREATE TABLE environment (
    environment int PRIMARY KEY CHECK (environment > 0),
    version bigint NOT NULL CHECK (version > 0),
    -- Rises with every change to anything that a till's directory shows of this environment.
    revision bigint NOT NULL CHECK (revision > 0),
    active boolean NOT NULL,
    gdpr_by text,
    gdpr_document text,
    gdpr_at timestamptz,
    settings jsonb NOT NULL CHECK (jsonb_typeof(settings) = 'object'),
    changed_at timestamptz NOT NULL,
    -- What decisions need of the settings, taken out of them so that it can't differ.
    currency text NOT NULL GENERATED ALWAYS AS (settings ->> 'currency') STORED
        CHECK (currency ~ '^[A-Z]{3}$'),
    language text NOT NULL GENERATED ALWAYS AS (settings ->> 'language') STORED
        CHECK (language IN ('nl', 'en')),
    limit_release text NOT NULL GENERATED ALWAYS AS (settings ->> 'limit_release') STORED
        CHECK (limit_release IN ('issued', 'paid')),
    CHECK (num_nulls(gdpr_by, gdpr_document, gdpr_at) IN (0, 3))
);

CREATE TABLE customer (
    environment int NOT NULL REFERENCES environment,
    customer_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    erased boolean NOT NULL,
    fields jsonb NOT NULL CHECK (jsonb_typeof(fields) = 'object'),
    name text NOT NULL,          -- as a till shows it
    searched text NOT NULL,      -- all names, without case and accents
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (environment, customer_id),
    CHECK (NOT erased OR (fields = '{}' AND name = '' AND searched = ''))
);

CREATE TABLE account (
    environment int NOT NULL REFERENCES environment,
    account text COLLATE "C" NOT NULL,
    -- The five sums (minor units). used = approved - reversed - released, computed at each
    -- decision; invoices, credit notes and payments may come in any order.
    approved bigint NOT NULL DEFAULT 0,
    reversed bigint NOT NULL DEFAULT 0 CHECK (reversed >= 0),
    issued bigint NOT NULL DEFAULT 0 CHECK (issued >= 0),
    credited bigint NOT NULL DEFAULT 0 CHECK (credited >= 0),
    paid bigint NOT NULL DEFAULT 0 CHECK (paid >= 0),
    credit_limit bigint CHECK (credit_limit >= 0),    -- null: none
    status text NOT NULL CHECK (status IN ('inactive', 'active', 'blocked', 'closed')),
    on_account boolean NOT NULL,
    in_overview boolean NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    description text NOT NULL,
    searched text NOT NULL,      -- number and description, without case and accents
    holder uuid,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (environment, account),
    FOREIGN KEY (environment, holder) REFERENCES customer,
    CHECK (approved >= reversed)
) WITH (fillfactor = 60);
-- Room on each page and no index on a sum: each decision's update stays on its page (HOT).
CREATE INDEX account_holder ON account (environment, holder) WHERE holder IS NOT NULL;

CREATE TABLE account_viewer (
    environment int NOT NULL,
    account text COLLATE "C" NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (environment, account, customer_id),
    FOREIGN KEY (environment, account) REFERENCES account,
    FOREIGN KEY (environment, customer_id) REFERENCES customer
);
CREATE INDEX account_viewer_customer ON account_viewer (environment, customer_id);

-- Which commands were answered, and with what.
CREATE TABLE command (
    environment int NOT NULL,
    command_id uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    decided_at timestamptz NOT NULL,
    type text NOT NULL CHECK (type IN ('command.applied', 'command.refused')),
    answer bytea NOT NULL,
    PRIMARY KEY (environment, command_id)
);

-- Invoices, credit notes and payments that count in the sums, each once. Kept by account number
-- alone: what comes before its account is added up when the account is opened.
CREATE TABLE invoice_effect (
    environment int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('issued', 'credited', 'paid')),
    id uuid NOT NULL,
    account text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (environment, kind, id)
);
CREATE INDEX invoice_effect_account ON invoice_effect (environment, account);

GRANT SELECT, INSERT ON environment, customer, account, command, invoice_effect TO authorizer;
GRANT SELECT, INSERT, DELETE ON account_viewer TO authorizer;
GRANT UPDATE (version, revision, active, gdpr_by, gdpr_document, gdpr_at, settings, changed_at)
    ON environment TO authorizer;
GRANT UPDATE (version, erased, fields, name, searched, changed_at) ON customer TO authorizer;
GRANT UPDATE (
    approved, reversed, issued, credited, paid, credit_limit, status, on_account, in_overview,
    version, description, searched, holder, changed_at
) ON account TO authorizer;
