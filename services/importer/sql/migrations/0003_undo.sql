-- Taking an import back: what it made and changed, and what became of each of these.

-- Who else looks at an account: null until its state is told (again).
ALTER TABLE account ADD viewers uuid[];
CREATE INDEX account_viewers ON account USING gin (viewers) WHERE viewers <> '{}';

ALTER TABLE upload
    ADD undo_by text,
    ADD undo_at timestamptz,
    ADD forgotten boolean NOT NULL DEFAULT false,  -- rows and commands are gone: no undo any more
    ADD CHECK ((undo_by IS NULL) = (undo_at IS NULL));

CREATE TABLE undo (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('account', 'link', 'customer')),
    id text NOT NULL,                  -- of a link: the account's
    made boolean NOT NULL,             -- opened or registered by the job
    given jsonb NOT NULL,              -- the fields as the job left them
    before jsonb NOT NULL,             -- and as they had been; empty for what it made
    holder uuid,                       -- the customer whom the job made the account's holder
    decided boolean NOT NULL DEFAULT false,
    PRIMARY KEY (environment, job_id, kind, id),
    FOREIGN KEY (environment, job_id) REFERENCES upload
);

CREATE TABLE undo_step (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    act text NOT NULL CHECK (act IN ('close', 'restore', 'probe', 'unlink', 'erase', 'keep')),
    command_id uuid,                   -- null: nothing is asked of the registry
    type text,
    body jsonb,
    kept text,                         -- why it, or a part of it, stays
    sent_at timestamptz,
    outcome text CHECK (outcome IN ('applied', 'refused')),
    effect text,
    reason text,
    message text,
    PRIMARY KEY (environment, job_id, kind, id, act),
    UNIQUE (environment, command_id),
    FOREIGN KEY (environment, job_id, kind, id) REFERENCES undo,
    CHECK ((command_id IS NULL) = (type IS NULL) AND (type IS NULL) = (body IS NULL))
);
CREATE INDEX undo_undecided ON undo (environment, job_id, kind, id) WHERE NOT decided;
CREATE INDEX undo_step_open ON undo_step (environment, job_id, kind, id, act)
    WHERE outcome IS NULL AND command_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON undo, undo_step TO importer;
