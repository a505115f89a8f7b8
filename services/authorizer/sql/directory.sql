-- What tills see of the accounts, and what they were told.

-- name: recall_sessions
SELECT s.environment, s.session_id::text, s.terminal, s.revision, s.reason, s.answered_at
FROM unnest($1::int[], $2::uuid[]) AS u (environment, session_id)
JOIN session AS s ON s.environment = u.environment AND s.session_id = u.session_id;

-- name: recall_searches
SELECT s.environment, s.search_id::text, s.terminal, s.digest, s.answered_at, s.answer,
       s.revision
FROM unnest($1::int[], $2::uuid[]) AS u (environment, search_id)
JOIN search AS s ON s.environment = u.environment AND s.search_id = u.search_id;

-- name: houses
-- Shared, so that revision and accounts are of one moment: no command comes in between.
SELECT environment, revision, active, gdpr_at IS NOT NULL AS gdpr_accepted
FROM environment
WHERE environment = ANY ($1::int[])
ORDER BY environment
FOR SHARE;

-- name: pages
SELECT d.environment, d.revision, d.pages
FROM unnest($1::int[], $2::bigint[]) AS u (environment, revision)
JOIN directory AS d ON d.environment = u.environment AND d.revision = u.revision;

-- name: overview
-- What can be charged and is to be shown without a search.
SELECT a.account, a.description, coalesce(c.name, '') AS holder
FROM account AS a
LEFT JOIN customer AS c ON c.environment = a.environment AND c.customer_id = a.holder
WHERE a.environment = $1 AND a.status = 'active' AND a.on_account AND a.in_overview;

-- name: add_pages
INSERT INTO directory (environment, revision, pages) VALUES ($1, $2, $3::bytea[])
ON CONFLICT DO NOTHING;

-- name: find_accounts
-- All words in the number, the description or a name of the holder's. Of very many hits the one whose
-- number was typed, and those that can be charged, by name: who types one letter is not looking for a
-- certain account.
SELECT q.number, f.account, f.description, f.holder, f.status, f.on_account
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[]) AS q (number, environment, words, typed)
CROSS JOIN LATERAL (
    SELECT a.account, a.description, coalesce(c.name, '') AS holder, a.status, a.on_account
    FROM account AS a
    LEFT JOIN customer AS c ON c.environment = a.environment AND c.customer_id = a.holder
    WHERE a.environment = q.environment
      AND NOT EXISTS (
          SELECT FROM unnest(string_to_array(q.words, ' ')) AS w (word)
          WHERE strpos(a.searched || ' ' || coalesce(c.searched, ''), w.word) = 0
      )
    ORDER BY a.account <> q.typed, lower(a.account) <> lower(q.typed COLLATE "C"), a.status <> 'active' OR NOT a.on_account,
             strpos(a.searched, q.words) = 0 AND strpos(coalesce(c.searched, ''), q.words) = 0,
             coalesce(c.searched, a.searched), a.account
    LIMIT 500
) AS f;

-- name: record_sessions
INSERT INTO session (environment, session_id, terminal, revision, reason, answered_at)
SELECT u.*, $6
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::bigint[], $5::text[]) AS u;

-- name: record_searches
INSERT INTO search (environment, search_id, terminal, digest, answer, revision, answered_at)
SELECT u.*, $7
FROM unnest($1::int[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::bigint[]) AS u;
