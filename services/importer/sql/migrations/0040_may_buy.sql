-- Whether accounts of an environment may buy where nobody says so: a preview tells of those that may
-- not. Null until the environment's state is told again; a repetition of what is known is enough.
ALTER TABLE environment ADD default_on_account boolean;
UPDATE environment SET told = false;
