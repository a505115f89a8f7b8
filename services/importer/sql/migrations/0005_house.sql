-- What an environment gives to who and what says nothing: a preview checks and tells by it.
ALTER TABLE environment
    ADD country text,
    ADD default_limit bigint,          -- minor units; null: nothing, as the registry has it
    ADD told boolean NOT NULL DEFAULT false;  -- whether the two came with a state since
