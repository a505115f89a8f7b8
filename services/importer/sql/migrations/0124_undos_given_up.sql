-- Undos that older workers gave up (not_processed) stayed under way for ever: nobody could ask for them
-- again, and what the import knows of people was never forgotten. Those that no job will end are open again.
UPDATE upload AS u SET undo_by = NULL, undo_at = NULL
WHERE u.undo_at IS NOT NULL AND u.status <> 'undone' AND NOT EXISTS (
    SELECT FROM job AS j
    WHERE j.state = 'open' AND j.kind IN ('undo', 'undo-by-portions')
      AND j.payload ->> 'job_id' = u.job_id::text
      AND (j.payload ->> 'environment')::int = u.environment);
