-- Environments, customers and accounts; the sales and cancellations that were answered.

CREATE TABLE environment (
    environment int PRIMARY KEY CHECK (environment > 0),
    version bigint NOT NULL CHECK (version > 0),
    active boolean NOT NULL DEFAULT false,
    gdpr jsonb,                         -- {accepted_by, document, at}
    settings jsonb NOT NULL,            -- as in environment.state, defaults filled in
    changed_at timestamptz NOT NULL,
    -- what every sale needs of them
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    language text NOT NULL CHECK (language IN ('nl', 'en')),
    limit_release text NOT NULL CHECK (limit_release IN ('issued', 'paid'))
);

CREATE TABLE customer (
    environment int NOT NULL REFERENCES environment,
    customer_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    fields jsonb NOT NULL,              -- as in customer.register; nothing once erased
    erased boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (environment, customer_id),
    CHECK (NOT erased OR fields = '{}')
);

-- The five sums are never written back as one: `used` is computed at each decision, so that it is
-- right in whatever order events come. Room is left in the pages for their updates in place.
CREATE TABLE account (
    environment int NOT NULL REFERENCES environment,
    account text NOT NULL CHECK (account <> ''),
    version bigint NOT NULL CHECK (version > 0),
    description text NOT NULL,
    status text NOT NULL CHECK (status IN ('inactive', 'active', 'blocked', 'closed')),
    credit_limit bigint CHECK (credit_limit >= 0),     -- NULL: none
    on_account boolean NOT NULL,
    in_overview boolean NOT NULL,
    holder uuid,
    viewers uuid[] NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL,
    approved bigint NOT NULL DEFAULT 0 CHECK (approved >= 0),
    reversed bigint NOT NULL DEFAULT 0 CHECK (reversed >= 0),
    issued bigint NOT NULL DEFAULT 0 CHECK (issued >= 0),
    credited bigint NOT NULL DEFAULT 0 CHECK (credited >= 0),
    paid bigint NOT NULL DEFAULT 0 CHECK (paid >= 0),
    PRIMARY KEY (environment, account),
    FOREIGN KEY (environment, holder) REFERENCES customer (environment, customer_id),
    CHECK (reversed <= approved)
) WITH (fillfactor = 50);
CREATE INDEX account_holder ON account (environment, holder) WHERE holder IS NOT NULL;

-- Ids with their digests are kept for ever. `answer` is the answer's JSON, byte for byte.
-- A cancellation that comes before its sale leaves a row without digest and answer: it forbids it.
CREATE TABLE sale (
    environment int NOT NULL,
    sale_id uuid NOT NULL,
    digest bytea NOT NULL,
    account text,                       -- NULL where it could not be read
    approved boolean NOT NULL,
    recorded boolean NOT NULL,          -- a till said that it was made
    total bigint NOT NULL,
    reversed bigint NOT NULL DEFAULT 0,
    lines_reversed jsonb,               -- an amount per line; NULL: nothing yet
    booked_at timestamptz,
    decided_at timestamptz NOT NULL,
    reason text,
    answer bytea NOT NULL,
    PRIMARY KEY (environment, sale_id),
    CHECK (approved = (reason IS NULL)),
    CHECK (reversed BETWEEN 0 AND greatest(total, 0)),
    CHECK (NOT approved OR (total >= 0 AND account IS NOT NULL AND booked_at IS NOT NULL))
);
-- Recorded sales that could not be booked: a person must clear them.
CREATE INDEX sale_unbooked ON sale (environment, decided_at) WHERE recorded AND NOT approved;

CREATE TABLE cancellation (
    environment int NOT NULL,
    cancellation_id uuid NOT NULL,
    digest bytea NOT NULL,
    sale_id uuid NOT NULL,
    account text,
    amount bigint NOT NULL CHECK (amount >= 0),
    decided_at timestamptz NOT NULL,
    reason text,                        -- why it was refused; NULL: it was not
    answer bytea NOT NULL,
    PRIMARY KEY (environment, cancellation_id)
);
CREATE INDEX cancellation_sale ON cancellation (environment, sale_id);

CREATE TABLE command (
    environment int NOT NULL,
    command_id uuid NOT NULL,
    digest bytea NOT NULL,
    decided_at timestamptz NOT NULL,
    applied boolean NOT NULL,
    touched jsonb NOT NULL,             -- [[kind, ...key]]: whose state is told again with the answer
    answer bytea NOT NULL,
    PRIMARY KEY (environment, command_id)
);

-- An id that came again with other content: the first answer stands, and this is the answer to
-- the other content, the same each time.
CREATE TABLE reused (
    kind text NOT NULL CHECK (kind IN ('sale', 'cancellation', 'command')),
    environment int NOT NULL,
    id uuid NOT NULL,
    digest bytea NOT NULL,
    decided_at timestamptz NOT NULL,
    answer bytea NOT NULL,
    PRIMARY KEY (kind, environment, id, digest)
);

-- Which invoices, credit notes and payments are in an account's sums.
CREATE TABLE invoice_effect (
    kind text NOT NULL CHECK (kind IN ('issued', 'credited', 'paid')),
    environment int NOT NULL,
    id uuid NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (kind, environment, id)
);

-- Answers are for ever, sums only grow: nothing here may be deleted.
GRANT SELECT, INSERT, UPDATE ON environment, customer, account, sale TO authorizer;
GRANT SELECT, INSERT ON cancellation, command, reused, invoice_effect TO authorizer;
