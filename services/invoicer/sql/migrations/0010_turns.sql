-- Documents, mails and statements are made environment by environment in turn: see claim_in_turns
-- in runtime/sql/edge.sql. Their refs begin with the environment.

CREATE INDEX job_turn ON job (kind, split_part(ref, '/', 1), due_at, id) WHERE state = 'open';
CREATE INDEX job_turn_held ON job (kind, split_part(ref, '/', 1))
    WHERE state = 'open' AND lease IS NOT NULL;
