-- Sales and cancellations with their answers, for ever; and what a person must see to.

CREATE TABLE sale (
    environment int NOT NULL,
    sale_id uuid NOT NULL,
    -- awaited: only a cancellation of it came so far.
    state text NOT NULL CHECK (state IN ('awaited', 'approved', 'declined')),
    recorded boolean NOT NULL,       -- its answer was made of a sale.recorded
    cancelled_first boolean NOT NULL DEFAULT false,  -- all of it was cancelled before it came
    account text COLLATE "C" NOT NULL,
    digest bytea CHECK (octet_length(digest) = 32),
    total bigint NOT NULL,
    reversed bigint NOT NULL DEFAULT 0,
    reversed_lines bigint[],         -- what was taken off each line, in their order
    decided_at timestamptz,
    answer bytea,
    PRIMARY KEY (environment, sale_id),
    CHECK (CASE state WHEN 'approved' THEN reversed BETWEEN 0 AND total ELSE reversed = 0 END),
    CHECK (num_nulls(digest, decided_at, answer) = CASE state WHEN 'awaited' THEN 3 ELSE 0 END),
    CHECK (CASE state WHEN 'awaited' THEN cancelled_first WHEN 'approved' THEN NOT cancelled_first
           ELSE true END)
) WITH (fillfactor = 95);

-- An approval stands: its answer may not be changed, whoever tries. Reversals don't fire this.
CREATE FUNCTION approved_sale_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an approved sale stands' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER approved_sale_stands
    BEFORE UPDATE OF state, recorded, account, digest, total, decided_at, answer ON sale
    FOR EACH ROW WHEN (old.state = 'approved') EXECUTE FUNCTION approved_sale_stands();

CREATE TABLE cancellation (
    environment int NOT NULL,
    cancellation_id uuid NOT NULL,
    sale_id uuid NOT NULL,
    account text COLLATE "C" NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    amount bigint NOT NULL CHECK (amount >= 0),      -- what was taken back; 0 where refused
    decided_at timestamptz NOT NULL,
    type text NOT NULL CHECK (type IN ('sale.reversed', 'sale.reversal_refused')),
    answer bytea NOT NULL,
    PRIMARY KEY (environment, cancellation_id),
    CHECK (type = 'sale.reversed' OR amount = 0)
);
CREATE INDEX cancellation_sale ON cancellation (environment, sale_id);

-- Refusals that may not take the place of what an id stands for: a message with another content
-- under a known id, or one that could not be read. By content, so that each is answered alike.
CREATE TABLE refusal (
    environment int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sale', 'cancellation', 'command', 'search')),
    id uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    key text NOT NULL,
    type text NOT NULL,
    decided_at timestamptz NOT NULL,
    answer bytea NOT NULL,
    PRIMARY KEY (environment, kind, id, digest)
);

-- Sales that a till made without an answer and that could not be booked: a person must clear them.
CREATE TABLE unbooked (
    environment int NOT NULL,
    sale_id uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    account text,
    reason text NOT NULL,
    noted_at timestamptz NOT NULL,
    sale bytea,                      -- the message, where it could be read
    cleared_at timestamptz,
    cleared_by uuid,                 -- the sale that stands for it, or the cancellation
    PRIMARY KEY (environment, sale_id, digest),
    CHECK ((cleared_at IS NULL) = (cleared_by IS NULL))
);
CREATE INDEX unbooked_open ON unbooked (environment, noted_at) WHERE cleared_at IS NULL;

GRANT SELECT, INSERT ON sale, cancellation, refusal, unbooked TO authorizer;
GRANT UPDATE (
    state, recorded, cancelled_first, account, digest, total, reversed, reversed_lines, decided_at,
    answer
) ON sale TO authorizer;
GRANT UPDATE (cleared_at, cleared_by) ON unbooked TO authorizer;
