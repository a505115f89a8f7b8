-- What the invoicer knows: its own copy of the registry, what is due per sale line, the register of
-- numbers, invoices and credit notes with their bytes, payments, mails, and what was answered.
-- Amounts are minor units. The constraints restate domain.py; grants keep the books append-only.

-- The registry's copy: the highest version wins. `account` is also the lock of all that is due on
-- it, so its row is there (version 0) as soon as a sale is.

CREATE TABLE environment (
    environment int PRIMARY KEY,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    schedule jsonb,
    schedule_since timestamptz NOT NULL DEFAULT now()  -- nothing that was due before it is run
);

CREATE TABLE customer (
    environment int NOT NULL,
    customer_id uuid NOT NULL,
    version bigint NOT NULL,
    state jsonb NOT NULL,
    PRIMARY KEY (environment, customer_id)
);

CREATE TABLE account (
    environment int NOT NULL,
    account text NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    holder uuid,
    state jsonb,
    PRIMARY KEY (environment, account)
);

-- Sales, as they were decided.

CREATE TABLE sale (
    environment int NOT NULL,
    sale_id uuid NOT NULL,
    account text NOT NULL,
    terminal text NOT NULL,
    booked_at timestamptz NOT NULL,
    currency text NOT NULL,
    total bigint NOT NULL CHECK (total >= 0),
    reversed bigint NOT NULL DEFAULT 0 CHECK (reversed BETWEEN 0 AND total),
    reversals int NOT NULL DEFAULT 0 CHECK (reversals >= 0),
    hold uuid,               -- the cancellation that takes it off, until it has come back
    PRIMARY KEY (environment, sale_id),
    FOREIGN KEY (environment, account) REFERENCES account
);
CREATE INDEX sale_of_account ON sale (environment, account, booked_at);
CREATE INDEX sale_held ON sale (environment, hold) WHERE hold IS NOT NULL;

CREATE TABLE sale_line (
    environment int NOT NULL,
    sale_id uuid NOT NULL,
    line int NOT NULL CHECK (line >= 0),
    account text NOT NULL,               -- as the sale's: never changes
    booked_at timestamptz NOT NULL,
    description text NOT NULL,
    product text,
    quantity text NOT NULL,
    unit_price bigint NOT NULL,
    vat_rate text NOT NULL,
    approved bigint NOT NULL,
    reversed bigint NOT NULL DEFAULT 0,
    billed bigint NOT NULL DEFAULT 0,
    credited bigint NOT NULL DEFAULT 0,
    due bigint NOT NULL GENERATED ALWAYS AS (approved - reversed - billed + credited) STORED,
    PRIMARY KEY (environment, sale_id, line),
    FOREIGN KEY (environment, sale_id) REFERENCES sale,
    CHECK (reversed BETWEEN least(0, approved) AND greatest(0, approved)),
    -- What stands on invoices is never more than was sold, and never the other way round.
    CHECK (billed - credited BETWEEN least(0, approved) AND greatest(0, approved))
);
CREATE INDEX sale_line_open ON sale_line (environment, account, booked_at) WHERE due <> 0;

CREATE TABLE reversal (
    environment int NOT NULL,
    cancellation_id uuid NOT NULL,
    sale_id uuid NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    decided_at timestamptz NOT NULL,
    lines jsonb NOT NULL,
    applied boolean NOT NULL DEFAULT false,  -- false: waits for its sale
    PRIMARY KEY (environment, cancellation_id)
);
CREATE INDEX reversal_of_account ON reversal (environment, account, decided_at);
CREATE INDEX reversal_waiting ON reversal (environment, sale_id) WHERE NOT applied;

-- Runs.

CREATE TABLE run (
    environment int NOT NULL,
    run_id text NOT NULL,
    digest bytea NOT NULL,
    attempt int NOT NULL DEFAULT 1,      -- one that was refused may be asked for again
    period text NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
    until timestamptz,                   -- the period's end in the environment's time zone
    mode text NOT NULL CHECK (mode IN ('draft', 'issue')),
    send boolean NOT NULL,
    accounts text[],
    asked_by text NOT NULL,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'billing', 'completed', 'refused')),
    asked_at timestamptz NOT NULL,       -- the record's time
    ended_at timestamptz,
    PRIMARY KEY (environment, run_id),
    CHECK (until IS NOT NULL OR state IN ('waiting', 'refused')),
    CHECK ((ended_at IS NOT NULL) = (state IN ('completed', 'refused')))
);

CREATE TABLE run_item (
    environment int NOT NULL,
    run_id text NOT NULL,
    account text NOT NULL,
    reason text,                          -- why it was skipped
    done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (environment, run_id, account),
    FOREIGN KEY (environment, run_id) REFERENCES run
);
CREATE INDEX run_item_open ON run_item (environment, run_id, account) WHERE NOT done;

-- The register of numbers. A series is counted under its row's lock; the register refuses a gap
-- (each number refers to the one before it), a second use, and, by grant, any change.

CREATE TABLE series (
    environment int NOT NULL,
    series text NOT NULL CHECK (series IN ('invoice', 'credit_note')),
    year int NOT NULL,
    last_seq int NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    last_issued_at timestamptz NOT NULL,
    last_issued_on date NOT NULL,
    PRIMARY KEY (environment, series, year)
);

CREATE TABLE number (
    environment int NOT NULL,
    series text NOT NULL,
    year int NOT NULL,
    seq int NOT NULL CHECK (seq > 0),
    previous int GENERATED ALWAYS AS (nullif(seq - 1, 0)) STORED,
    number text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    document_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_on date NOT NULL,
    PRIMARY KEY (environment, series, year, seq),
    FOREIGN KEY (environment, series, year, previous) REFERENCES number (environment, series, year, seq),
    FOREIGN KEY (environment, series, year) REFERENCES series,
    UNIQUE (environment, number),
    UNIQUE (environment, document_id),
    CHECK (extract(year FROM issued_on) = year)
);

-- Invoices and credit notes. Who sold is shared by many (a letterhead may hold a logo).

CREATE TABLE letterhead (
    environment int NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    content jsonb NOT NULL,
    PRIMARY KEY (environment, sha256)
);

CREATE TABLE invoice (
    environment int NOT NULL,
    invoice_id uuid NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now(),
    account text NOT NULL,
    period text NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
    run_id text,
    send boolean NOT NULL DEFAULT false,     -- mail it once it is issued
    status text NOT NULL
        CHECK (status IN ('draft', 'issued', 'sent', 'undeliverable', 'paid', 'deleted', 'credited')),
    number text,
    drafted_on date NOT NULL,
    issued_at timestamptz,
    issued_on date,
    due_on date,
    currency text NOT NULL,
    total bigint NOT NULL CHECK (total >= 0),
    vat jsonb NOT NULL,
    credited bigint NOT NULL DEFAULT 0 CHECK (credited BETWEEN 0 AND total),
    paid bigint NOT NULL DEFAULT 0 CHECK (paid >= 0),
    letterhead bytea NOT NULL,
    buyer jsonb NOT NULL,
    language text NOT NULL CHECK (language IN ('nl', 'en')),
    supplementary boolean NOT NULL DEFAULT false,
    PRIMARY KEY (environment, invoice_id),
    FOREIGN KEY (environment, account) REFERENCES account,
    FOREIGN KEY (environment, letterhead) REFERENCES letterhead,
    FOREIGN KEY (environment, number) REFERENCES number (environment, number),
    UNIQUE (environment, number),
    -- A number is given at issue and never taken away; only what was never issued can vanish.
    CHECK ((number IS NULL) = (status IN ('draft', 'deleted'))),
    CHECK (num_nulls(number, issued_at, issued_on, due_on) IN (0, 4)),
    CHECK (status <> 'credited' OR credited = total),
    CHECK (status <> 'paid' OR paid >= total - credited)
);
CREATE INDEX invoice_of_run ON invoice (environment, run_id);
CREATE INDEX invoice_of_account ON invoice (environment, account, period);

CREATE TABLE invoice_line (
    environment int NOT NULL,
    invoice_id uuid NOT NULL,
    position int NOT NULL CHECK (position >= 0),
    sale_id uuid NOT NULL,
    line int NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    credited bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (environment, invoice_id, position),
    UNIQUE (environment, invoice_id, sale_id, line),
    FOREIGN KEY (environment, invoice_id) REFERENCES invoice,
    FOREIGN KEY (environment, sale_id, line) REFERENCES sale_line,
    CHECK (credited BETWEEN least(0, amount) AND greatest(0, amount))
);
CREATE INDEX invoice_line_of_sale ON invoice_line (environment, sale_id, line);

CREATE TABLE credit_note (
    environment int NOT NULL,
    credit_note_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    run_id text,
    account text NOT NULL,
    number text NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_on date NOT NULL,
    currency text NOT NULL,
    total bigint NOT NULL CHECK (total >= 0),
    vat jsonb NOT NULL,
    frees boolean NOT NULL,
    reason text NOT NULL,
    letterhead bytea NOT NULL,
    PRIMARY KEY (environment, credit_note_id),
    FOREIGN KEY (environment, invoice_id) REFERENCES invoice,
    FOREIGN KEY (environment, letterhead) REFERENCES letterhead,
    FOREIGN KEY (environment, number) REFERENCES number (environment, number),
    UNIQUE (environment, number)
);
CREATE INDEX credit_note_of_run ON credit_note (environment, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX credit_note_of_invoice ON credit_note (environment, invoice_id);

CREATE TABLE credit_line (
    environment int NOT NULL,
    credit_note_id uuid NOT NULL,
    position int NOT NULL CHECK (position >= 0),
    sale_id uuid NOT NULL,
    line int NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (environment, credit_note_id, position),
    FOREIGN KEY (environment, credit_note_id) REFERENCES credit_note,
    FOREIGN KEY (environment, sale_id, line) REFERENCES sale_line
);

-- A document's bytes, kept: asked for again, it is the same file.

CREATE TABLE document (
    environment int NOT NULL,
    document_id uuid NOT NULL,           -- the invoice_id, credit_note_id or statement_id
    draft boolean NOT NULL,
    format text NOT NULL CHECK (format IN ('pdf', 'xlsx', 'ubl')),
    file_name text NOT NULL,
    media_type text NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    content bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment, document_id, draft, format)
);
ALTER TABLE document ALTER COLUMN content SET STORAGE EXTERNAL;  -- compressed already

-- What a statement's mail says of it.
CREATE TABLE statement (
    environment int NOT NULL,
    statement_id uuid NOT NULL,
    account text,                         -- NULL: of all accounts
    holder text NOT NULL,
    language text NOT NULL CHECK (language IN ('nl', 'en')),
    first date NOT NULL,
    until date NOT NULL CHECK (until > first),
    currency text NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (environment, statement_id)
);

CREATE TABLE payment (
    environment int NOT NULL,
    payment_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    received_at timestamptz NOT NULL,
    method text NOT NULL,
    recorded_by text NOT NULL,
    open bigint NOT NULL,                -- what was left to pay then; negative: too much
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment, payment_id),
    FOREIGN KEY (environment, invoice_id) REFERENCES invoice
);
CREATE INDEX payment_of_invoice ON payment (environment, invoice_id);

-- One row per mail and recipient: each goes its own way.

CREATE TABLE mail (
    environment int NOT NULL,
    mail_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note', 'report', 'statement')),
    ref text NOT NULL,                   -- invoice_id, credit_note_id, run_id or statement_id
    recipient text NOT NULL,
    copy boolean NOT NULL DEFAULT false, -- finance's copy: its fate is not the invoice's
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    message_id text,
    handed_over int NOT NULL DEFAULT 0,  -- how often it was about to be given to a mail server
    attempts int NOT NULL DEFAULT 0,     -- tries whose outcome was recorded
    refusals int NOT NULL DEFAULT 0,     -- of them temporary refusals (4xx)
    refused_since timestamptz,
    code int,
    said text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (environment, mail_id),
    CHECK ((state = 'pending') = (ended_at IS NULL)),
    CHECK (state <> 'sent' OR message_id IS NOT NULL)
);
CREATE INDEX mail_of ON mail (environment, ref);
CREATE INDEX mail_failed ON mail (environment, ended_at) WHERE state = 'failed';

-- Sales that a correction takes off an account, until their reversal came back.

CREATE TABLE moved_sale (
    environment int NOT NULL,
    cancellation_id uuid NOT NULL,
    sale_id uuid NOT NULL,
    new_sale_id uuid,                     -- NULL: left out, not moved
    to_account text,
    PRIMARY KEY (environment, cancellation_id),
    FOREIGN KEY (environment, sale_id) REFERENCES sale,
    CHECK ((new_sale_id IS NULL) = (to_account IS NULL))
);

-- What was asked, and what was answered, byte for byte.

CREATE TABLE request (
    environment int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('run', 'command', 'payment', 'statement', 'document', 'move')),
    id text NOT NULL,
    digest bytea NOT NULL,
    touched uuid[] NOT NULL,              -- the invoices whose state records belong with it
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment, kind, id)
);

CREATE TABLE answer (
    environment int NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    position int NOT NULL CHECK (position >= 0),
    topic text NOT NULL,
    key text NOT NULL,
    ce_id text NOT NULL,
    ce_type text NOT NULL,
    ce_time timestamptz NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (environment, kind, id, position),
    FOREIGN KEY (environment, kind, id) REFERENCES request
);

GRANT SELECT, INSERT, UPDATE ON environment, customer, account, sale, sale_line, reversal,
    run, series, invoice, invoice_line, mail TO invoicer;
GRANT SELECT, INSERT, UPDATE, DELETE ON run_item TO invoicer;
GRANT DELETE ON invoice_line TO invoicer;  -- a draft's lines are found again when it is approved
-- Append-only: what was issued, paid or answered stays as it was.
GRANT SELECT, INSERT ON number, letterhead, credit_note, credit_line, document, payment, request,
    answer, moved_sale, statement TO invoicer;
