-- name: find
SELECT run_id, digest, attempt, period, until, mode, send, accounts, state, asked_at, ended_at
FROM run WHERE environment = $1 AND run_id = $2;

-- name: ask
-- A run that was refused may be asked for again: nothing was made of it.
INSERT INTO run AS r (environment, run_id, digest, period, mode, send, accounts, asked_by, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (environment, run_id) DO UPDATE SET
    digest = excluded.digest, attempt = r.attempt + 1, period = excluded.period, until = NULL,
    mode = excluded.mode, send = excluded.send, accounts = excluded.accounts,
    asked_by = excluded.asked_by, asked_at = excluded.asked_at, state = 'waiting', ended_at = NULL
WHERE r.state = 'refused'
RETURNING attempt;

-- name: begin
UPDATE run SET state = 'billing', until = $3 WHERE environment = $1 AND run_id = $2;

-- name: end
UPDATE run SET state = $3, ended_at = now() WHERE environment = $1 AND run_id = $2;

-- name: plan
-- All accounts with something due or with a draft to replace, or those of them that were chosen.
INSERT INTO run_item (environment, run_id, account)
SELECT $1::int, $2, found.account FROM (
    SELECT l.account FROM sale_line AS l
    WHERE l.environment = $1 AND l.due <> 0 AND l.booked_at < $3
    UNION
    SELECT i.account FROM invoice AS i
    WHERE i.environment = $1 AND i.status = 'draft' AND i.period <= $5) AS found
WHERE $4::text[] IS NULL OR found.account = ANY($4::text[])
ON CONFLICT DO NOTHING;

-- name: plan_chosen
-- Chosen accounts on which nothing is due are listed, with that as the reason.
INSERT INTO run_item (environment, run_id, account, reason, done)
SELECT $1, $2, u.account,
       CASE WHEN a.account IS NULL THEN 'account_unknown' ELSE 'nothing_to_invoice' END, true
FROM unnest($3::text[]) AS u (account)
LEFT JOIN account AS a ON (a.environment, a.account) = ($1, u.account)
ON CONFLICT DO NOTHING;

-- name: next_accounts
-- At most $3, and of them as many as have $4 open lines together: one of a great many goes alone.
SELECT account FROM (
    SELECT i.account, sum(open.lines) OVER (ORDER BY i.account) - open.lines AS before
    FROM (SELECT account FROM run_item WHERE environment = $1 AND run_id = $2 AND NOT done
          ORDER BY account LIMIT $3) AS i
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines FROM sale_line AS l
        WHERE l.environment = $1 AND l.account = i.account AND l.due <> 0) AS open) AS next
WHERE before < $4 ORDER BY account;

-- name: accounts_done
UPDATE run_item AS i SET done = true, reason = u.reason
FROM unnest($3::text[], $4::text[]) AS u (account, reason)
WHERE i.environment = $1 AND i.run_id = $2 AND i.account = u.account;

-- name: progress
SELECT count(*) FILTER (WHERE done) AS done, count(*) AS total
FROM run_item WHERE environment = $1 AND run_id = $2;

-- name: skipped
SELECT account, reason FROM run_item
WHERE environment = $1 AND run_id = $2 AND reason IS NOT NULL ORDER BY account LIMIT $3;

-- name: invoiced
-- What the run made: counts, and gross per rate over what was drafted or issued.
SELECT count(*) FILTER (WHERE number IS NULL) AS drafted,
       count(*) FILTER (WHERE number IS NOT NULL) AS issued,
       coalesce(sum(total), 0)::bigint AS total
FROM invoice WHERE environment = $1 AND run_id = $2;

-- name: credited
-- What it took back besides: how many credit notes, and what they come to.
SELECT count(*) AS notes, sum(total)::bigint AS total
FROM credit_note WHERE environment = $1 AND run_id = $2;

-- name: vat
-- Summed over the invoices: each was rounded by itself.
SELECT v.rate, sum(v.base)::bigint AS base, sum(v.vat)::bigint AS vat, sum(v.gross)::bigint AS gross
FROM invoice AS i
CROSS JOIN jsonb_to_recordset(i.vat) AS v (rate text, base bigint, vat bigint, gross bigint)
WHERE i.environment = $1 AND i.run_id = $2
GROUP BY v.rate ORDER BY v.rate::numeric DESC;

-- name: handed_over
-- Invoices of the run that were handed to the mailer. From each to its mails: joined, all mails that
-- were ever sent were read.
SELECT count(*) FROM invoice AS i
CROSS JOIN LATERAL (
    SELECT FROM mail AS m
    WHERE (m.environment, m.ref) = (i.environment, i.invoice_id::text) AND NOT m.copy LIMIT 1) AS m
WHERE i.environment = $1 AND i.run_id = $2;

-- name: open
-- What stays uninvoiced up to the period's end, and whose it is.
-- What stands on an invoice and was taken back since is told apart: a credit note is due.
SELECT l.account, s.hold IS NOT NULL AS held, i.account IS NOT NULL AS in_run, i.reason,
       l.billed <> l.credited AS credit, sum(l.due)::bigint AS amount
FROM sale_line AS l
JOIN sale AS s USING (environment, sale_id)
LEFT JOIN run_item AS i ON (i.environment, i.run_id, i.account) = (l.environment, $2, l.account)
WHERE l.environment = $1 AND l.due <> 0 AND l.booked_at < $3
GROUP BY 1, 2, 3, 4, 5 HAVING sum(l.due) <> 0
ORDER BY 1, 2, 5 LIMIT $4;

-- name: made
-- For finance's report: the run's invoices and credit notes, with who got them, in the order in which
-- they were numbered: as text 2026-10000 stands before 2026-9999, and 2027-1 is shorter than either.
SELECT made.* FROM (
SELECT 'invoice' AS kind, i.number, i.account, i.buyer, i.period, i.total, i.vat, i.send,
       (SELECT m.recipient FROM mail AS m
        WHERE (m.environment, m.ref) = (i.environment, i.invoice_id::text) AND NOT m.copy
        ORDER BY m.created_at DESC LIMIT 1) AS mailed_to
FROM invoice AS i WHERE i.environment = $1 AND i.run_id = $2
UNION ALL
SELECT 'credit_note', c.number, c.account, i.buyer, i.period, c.total, c.vat, false,
       (SELECT m.recipient FROM mail AS m
        WHERE (m.environment, m.ref) = (c.environment, c.credit_note_id::text) AND NOT m.copy
        ORDER BY m.created_at DESC LIMIT 1)
FROM credit_note AS c JOIN invoice AS i USING (environment, invoice_id)
WHERE c.environment = $1 AND c.run_id = $2) AS made
LEFT JOIN number AS n ON (n.environment, n.number) = ($1, made.number)  -- a draft has none yet
ORDER BY made.kind DESC, n.year, n.seq, made.account LIMIT $3;

-- name: counted
-- For finance's report, whose lists may hold the first of very many: what run.completed does not say.
SELECT (SELECT count(*) FROM run_item
        WHERE environment = $1 AND run_id = $2 AND reason IS NOT NULL) AS skipped,
       (SELECT count(*) FROM credit_note AS c
        WHERE c.environment = $1 AND c.run_id = $2 AND EXISTS (
            SELECT FROM mail AS m
            WHERE (m.environment, m.ref) = (c.environment, c.credit_note_id::text) AND NOT m.copy)
       ) AS notes_sent;
