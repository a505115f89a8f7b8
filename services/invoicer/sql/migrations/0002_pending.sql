-- What `invoices pending` tells of a sale: why it was taken back, and that it was declined. Sales
-- that came before this migration have neither.

ALTER TABLE reversal ADD COLUMN reason text
    CHECK (reason IN ('cancelled', 'settled', 'returned'));

CREATE TABLE declined_sale (
    environment int NOT NULL,
    sale_id uuid NOT NULL,
    account text,                         -- of what can't be read it may be missing
    reason text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (environment, sale_id)
);
GRANT SELECT, INSERT ON declined_sale TO invoicer;

ALTER TABLE request DROP CONSTRAINT request_kind_check, ADD CONSTRAINT request_kind_check
    CHECK (kind IN ('run', 'command', 'payment', 'statement', 'document', 'move', 'pending'));

CREATE INDEX moved_sale_of ON moved_sale (environment, sale_id);
CREATE INDEX reversal_of_sale ON reversal (environment, sale_id);

-- A run finds the drafts that it replaces.
CREATE INDEX invoice_draft ON invoice (environment, account) WHERE status = 'draft';
