-- What rows will do stands together, some hundred commands in a row of this table, as they are sent:
-- one registry.apply is asked, answered and remembered where there were hundreds.

CREATE TABLE bundle (
    environment int NOT NULL,
    job_id uuid NOT NULL,
    number int NOT NULL CHECK (number >= 0),   -- in the order of rows
    command_id uuid NOT NULL,
    first_row int NOT NULL,
    last_row int NOT NULL CHECK (last_row >= first_row),
    rows int[] NOT NULL CHECK (cardinality(rows) > 0),   -- of each step
    steps json NOT NULL,               -- as registry.apply has them; a step's number is its place
    before jsonb NOT NULL,             -- by place: what the fields were, for an undo
    needs jsonb NOT NULL,              -- [place, bundle, place there]: sent once that was applied
    changing boolean NOT NULL,         -- whether anything is changed that was there before
    sent_at timestamptz,
    ended boolean NOT NULL DEFAULT false,
    heard boolean NOT NULL DEFAULT false,      -- registry.state has told of all that it made
    -- By place, what became of a step (refused, created, changed, unchanged) and why. Before the
    -- bundle ended only steps that were not sent, as what they build on was refused.
    results jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (environment, job_id, number),
    UNIQUE (environment, command_id)
);
-- They are read whole and soon forgotten: compressing them takes longer than writing them.
ALTER TABLE bundle ALTER steps SET STORAGE EXTERNAL;
ALTER TABLE unpublished ALTER value SET STORAGE EXTERNAL;
CREATE INDEX bundle_unsent ON bundle (environment, job_id, number)
    WHERE sent_at IS NULL AND NOT ended;
CREATE INDEX bundle_under_way ON bundle (job_id, number) WHERE sent_at IS NOT NULL AND NOT ended;
CREATE INDEX bundle_open ON bundle (job_id, first_row) WHERE NOT ended;

-- Commands that stand in the table of before: each a bundle of its own. What was sent and has no
-- outcome yet is asked again, which changes nothing where it was done.
INSERT INTO bundle (environment, job_id, number, command_id, first_row, last_row, rows, steps,
                    before, needs, changing, ended, results)
SELECT c.environment, c.job_id, c.number, gen_random_uuid(), c.row, c.row, ARRAY[c.row],
    json_build_array(json_build_object('step', 0, 'type', c.type)::jsonb || c.body),
    CASE WHEN c.before = '{}' THEN '{}' ELSE jsonb_build_object('0', c.before) END,
    CASE WHEN a.number IS NULL OR c.outcome IS NOT NULL THEN '[]'
         ELSE jsonb_build_array(jsonb_build_array(0, a.number, 0)) END,
    c.type NOT IN ('customer.register', 'account.open'), c.outcome IS NOT NULL,
    CASE WHEN c.outcome IS NULL THEN '{}'
         ELSE jsonb_build_object('0', jsonb_build_array(
            CASE c.outcome WHEN 'refused' THEN 'refused' ELSE coalesce(c.effect, 'unchanged') END,
            c.message)) END
FROM (SELECT *, row_number() OVER w - 1 AS number FROM command
      WINDOW w AS (PARTITION BY environment, job_id ORDER BY row, step)) AS c
LEFT JOIN (SELECT *, row_number() OVER w - 1 AS number FROM command
           WINDOW w AS (PARTITION BY environment, job_id ORDER BY row, step)) AS a
    ON (a.environment, a.job_id, a.row, a.step)
     = (c.environment, c.job_id, c.after_row, c.after_step);

DROP TABLE flight;
DROP TABLE command;

-- The steps one by one, for what is asked rarely.
CREATE VIEW command AS
SELECT b.environment, b.job_id, b.number, b.rows[s.place] AS row,
    (b.number::bigint * 10000 + s.place) AS step, s.step ->> 'type' AS type,
    s.step - '{step,after,type}'::text[] AS body,
    coalesce(b.before -> (s.place - 1)::text, '{}') AS before,
    CASE r.result ->> 0 WHEN 'refused' THEN 'refused' ELSE CASE WHEN b.ended THEN 'applied' END
        END AS outcome,
    nullif(r.result ->> 0, 'refused') AS effect, r.result ->> 1 AS message
FROM bundle AS b
CROSS JOIN LATERAL jsonb_array_elements(b.steps::jsonb) WITH ORDINALITY AS s (step, place)
CROSS JOIN LATERAL (SELECT b.results -> (s.place - 1)::text AS result) AS r;

GRANT SELECT, INSERT, UPDATE, DELETE ON bundle TO importer;
GRANT SELECT ON command TO importer;
