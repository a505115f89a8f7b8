-- Since when whoever holds an account has it, of those that were another's: what was sold before is told
-- to him only where he is billed for it (docs/decisions/0144). NULL: not known, or always.
ALTER TABLE account ADD COLUMN held_since timestamptz;
