-- What is known of people in rows, commands and previews goes: when nothing can be taken back any
-- more, and at once where a customer is erased.

-- Until now a job that had ended kept its rows for ever: they go as if it had ended today.
INSERT INTO job (kind, ref, payload, due_at)
SELECT 'forget', environment || '/' || job_id,
    jsonb_build_object('environment', environment, 'job_id', job_id),
    CASE WHEN status = 'completed' THEN now() + interval '30 days' ELSE now() END
FROM upload WHERE status NOT IN ('received', 'previewed', 'running')
ON CONFLICT DO NOTHING;

GRANT DELETE ON said TO importer;
