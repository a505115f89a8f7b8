-- name: exists
SELECT count(*) = 3 FROM document WHERE environment = $1 AND document_id = $2 AND draft = $3;

-- name: keep
-- Files of several documents. The first bytes stay: whoever asks again gets the same file.
INSERT INTO document (environment, draft, document_id, format, file_name, media_type, sha256, content)
SELECT $1, $2, * FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[])
ON CONFLICT DO NOTHING
RETURNING document_id::text;

-- name: files
SELECT format, file_name, media_type, content FROM document
WHERE environment = $1 AND document_id = $2 AND draft = $3
  AND ($4::text IS NULL OR format = $4) ORDER BY format;

-- name: credit_note_exists
-- Of this invoice, or of any where it is NULL.
SELECT EXISTS (SELECT FROM credit_note WHERE environment = $1 AND credit_note_id = $2
               AND ($3::uuid IS NULL OR invoice_id = $3));

-- name: issued_by
-- Whether a document had its number at that moment.
SELECT EXISTS (SELECT FROM number
               WHERE environment = $1 AND document_id = $2 AND issued_at <= $3);

-- name: job_is_open
-- Whether a document's own job waits or is at work.
SELECT EXISTS (SELECT FROM job WHERE kind = 'document' AND ref = $1 AND state = 'open');
