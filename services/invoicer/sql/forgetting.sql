-- Taking out what is kept of people and need not be: of deleted drafts, and of statements.

-- name: forget_buyers
-- Of drafts that were deleted; whoever they were made out to.
UPDATE invoice SET buyer = $3
WHERE environment = $1 AND invoice_id = ANY ($2::uuid[]) AND status = 'deleted';

-- name: forget_draft_files
DELETE FROM document WHERE environment = $1 AND document_id = ANY ($2::uuid[]) AND draft;

-- name: named_drafts
-- Deleted drafts that keep a buyer still.
SELECT i.invoice_id::text FROM invoice AS i
WHERE i.environment = $1 AND i.status = 'deleted' AND i.buyer #>> '{address,country}' <> ''
ORDER BY i.invoice_id LIMIT $2;

-- name: name_drafts
-- Drafts made out to whoever holds their account now.
UPDATE invoice AS i SET buyer = u.buyer
FROM unnest($2::uuid[], $3::jsonb[]) AS u (invoice_id, buyer)
WHERE i.environment = $1 AND i.invoice_id = u.invoice_id AND i.status = 'draft';

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

-- name: drafts_of_before
-- What keeps files of the draft that it was: issued, or deleted. Whose own files are being made still
-- needs these until then, for a request that comes again.
SELECT i.invoice_id::text, i.account, (
    i.number IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM document AS d
        WHERE (d.environment, d.document_id) = (i.environment, i.invoice_id) AND NOT d.draft)
    AND EXISTS (
        SELECT FROM job AS j WHERE j.kind = 'document' AND j.state = 'open'
          AND j.ref = i.environment || '/' || i.invoice_id)) AS to_come
FROM invoice AS i
WHERE i.environment = $1 AND i.account = ANY ($2::text[]) AND i.status <> 'draft'
  AND EXISTS (SELECT FROM document AS d
              WHERE (d.environment, d.document_id) = (i.environment, i.invoice_id) AND d.draft);

-- name: statements_to_come
-- Of which of these accounts a statement is being made still.
SELECT DISTINCT payload #>> '{request,account}' AS account
FROM job WHERE kind = 'statement' AND state = 'open'
  AND payload #>> '{request,environment}' = $1::int::text
  AND payload #>> '{request,account}' = ANY ($2::text[])
ORDER BY 1;

-- name: forget_statement_jobs
-- The addresses that statements went to, in jobs that have ended.
UPDATE job SET payload = jsonb_build_object('request', (payload -> 'request') - 'to')
WHERE kind = 'statement' AND state <> 'open' AND payload ? 'recipients'
  AND payload #>> '{request,environment}' = $1::int::text
  AND payload #>> '{request,account}' = ANY ($2::text[]);

-- name: statements
-- The statements of these accounts, and those named; and whether a mail with one is on its way still.
SELECT s.statement_id::text, EXISTS (
    SELECT FROM mail AS m
    WHERE (m.environment, m.ref) = (s.environment, s.statement_id::text) AND m.state = 'pending'
) AS on_its_way
FROM statement AS s
WHERE s.environment = $1 AND (s.account = ANY ($2::text[]) OR s.statement_id = ANY ($3::uuid[]));

-- name: forget_statement_files
-- Who asks for a statement chooses its id, which may be that of an invoice: whose files stay.
DELETE FROM document AS d WHERE d.environment = $1 AND d.document_id = ANY ($2::uuid[])
  AND NOT EXISTS (SELECT FROM number AS n
                  WHERE (n.environment, n.document_id) = (d.environment, d.document_id));

-- name: forget_holders
UPDATE statement SET holder = ''
WHERE environment = $1 AND statement_id = ANY ($2::uuid[]) AND holder <> '';

-- name: forget_recipients
-- Of mails that have their fate; a server's words may name whom it was for.
UPDATE mail SET recipient = '', said = NULL
WHERE environment = $1 AND ref = ANY ($2::text[]) AND kind = 'statement' AND state <> 'pending'
  AND recipient <> '';
