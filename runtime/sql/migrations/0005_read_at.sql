-- The latest time, by its log, of the records before `next_offset`, in milliseconds since 1970; NULL
-- where none was noted yet. A log that lost its end and has others' records there since may be longer
-- than the position, and is known by this alone (docs/decisions/0148).
ALTER TABLE positions ADD COLUMN read_at bigint;
