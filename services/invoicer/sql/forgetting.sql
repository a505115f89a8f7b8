-- Taking out what is kept of people and need not be: of deleted drafts, and of statements.

-- name: forget_buyers
-- Of drafts that were deleted; whoever they were made out to.
UPDATE invoice SET buyer = $3
WHERE environment = $1 AND invoice_id = ANY ($2::uuid[]) AND status = 'deleted';

-- name: forget_draft_files
DELETE FROM document WHERE environment = $1 AND document_id = ANY ($2::uuid[]) AND draft;

-- name: named_drafts
-- Deleted drafts that keep a buyer still.
SELECT invoice_id::text FROM invoice
WHERE environment = $1 AND status = 'deleted' AND buyer #>> '{address,country}' <> ''
ORDER BY invoice_id LIMIT $2;

-- name: accounts
-- The next accounts that these customers ever had to do with, or ($5) any that a statement or a live
-- draft is of.
SELECT account FROM (
    SELECT account FROM tie
    WHERE environment = $1 AND customer_id = ANY ($2::uuid[]) AND account > $3
    UNION
    SELECT account FROM statement WHERE $5 AND environment = $1 AND account > $3
    UNION
    SELECT account FROM invoice
    WHERE $5 AND environment = $1 AND status = 'draft' AND account > $3) AS tied
ORDER BY account LIMIT $4;

-- name: approved_drafts
-- What had its draft's files made before it was issued.
SELECT i.invoice_id::text FROM invoice AS i
WHERE i.environment = $1 AND i.account = ANY ($2::text[]) AND i.number IS NOT NULL
  AND EXISTS (SELECT FROM document AS d
              WHERE (d.environment, d.document_id) = (i.environment, i.invoice_id) AND d.draft);

-- name: statements_to_come
-- Whether a statement of these accounts is being made still.
SELECT EXISTS (
    SELECT FROM job WHERE kind = 'statement' AND state = 'open'
      AND payload #>> '{request,environment}' = $1::int::text
      AND payload #>> '{request,account}' = ANY ($2::text[]));

-- name: forget_statement_jobs
-- The addresses that statements went to, in jobs that have ended.
UPDATE job SET payload = jsonb_build_object('request', (payload -> 'request') - 'to')
WHERE kind = 'statement' AND state <> 'open' AND payload ? 'recipients'
  AND payload #>> '{request,environment}' = $1::int::text
  AND payload #>> '{request,account}' = ANY ($2::text[]);

-- name: statements
-- The statements of these accounts, and whether a mail with it is on its way still.
SELECT s.statement_id::text, EXISTS (
    SELECT FROM mail AS m
    WHERE (m.environment, m.ref) = (s.environment, s.statement_id::text) AND m.state = 'pending'
) AS on_its_way
FROM statement AS s WHERE s.environment = $1 AND s.account = ANY ($2::text[]);

-- name: forget_statement_files
DELETE FROM document WHERE environment = $1 AND document_id = ANY ($2::uuid[]);

-- name: forget_holders
UPDATE statement SET holder = ''
WHERE environment = $1 AND statement_id = ANY ($2::uuid[]) AND holder <> '';

-- name: forget_recipients
-- Of mails that have their fate; a server's words may name whom it was for.
UPDATE mail SET recipient = '', said = NULL
WHERE environment = $1 AND ref = ANY ($2::text[]) AND kind = 'statement' AND state <> 'pending'
  AND recipient <> '';
