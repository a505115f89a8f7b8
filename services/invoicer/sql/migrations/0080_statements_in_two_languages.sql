-- A statement for viewers is made once in each of their languages. The request's own id names the
-- first; another has an id made from it, and says here which request it answers.
ALTER TABLE statement ADD COLUMN asked uuid;
