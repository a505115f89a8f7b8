-- In which currency an environment keeps its limits: a workbook's amounts in another are refused. It is
-- the euro until the environment's state is told again; a repetition of what is known is enough.
ALTER TABLE environment ADD currency text NOT NULL DEFAULT 'EUR';
UPDATE environment SET told = false;
