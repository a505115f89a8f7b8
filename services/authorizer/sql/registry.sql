-- The way of a batch of commands. The environment's row is locked first: commands of one
-- environment are decided one after another, while its tills sell on.
--
-- These statements are planned once, as those of sales are (sales.sql): an import comes by here
-- hundreds of times, and what the database checks of each row that refers to another is planned
-- anew, row by row, where plans are not kept (docs/decisions/0064).

-- name: lock_environments
SELECT environment, version, active, gdpr_by, gdpr_document, gdpr_at, settings
FROM environment
WHERE environment = ANY ($1::int[])
ORDER BY environment
FOR NO KEY UPDATE;

-- name: lock_environments_against_sales
-- As lock_environments, for a command that may change by which rules sales are decided: waits for
-- sales in hand, which read the environment before they lock their accounts, and lets none in. Else
-- one might be decided by the old release and the new limit, and neither would have let it through;
-- or in the old currency, when it was seen that there is no sale yet.
SELECT environment, version, active, gdpr_by, gdpr_document, gdpr_at, settings
FROM environment
WHERE environment = ANY ($1::int[])
ORDER BY environment
FOR UPDATE;

-- name: environments_with_sales
-- Not by their accounts' sums: a sale may come to nothing (a swap), and move money between rates.
SELECT e.environment
FROM unnest($1::int[]) AS e (environment)
WHERE EXISTS (
    SELECT FROM sale AS s WHERE s.environment = e.environment AND s.state = 'approved'
);

-- name: recall_commands
SELECT c.environment, c.command_id::text, c.digest, c.decided_at, c.type, c.answer
FROM unnest($1::int[], $2::uuid[]) AS u (environment, command_id)
CROSS JOIN LATERAL (
    SELECT c.*
    FROM command AS c
    WHERE c.environment = u.environment AND c.command_id = u.command_id
    OFFSET 0) AS c;

-- name: customers
SELECT c.environment, c.customer_id::text, c.version, c.erased, c.fields
FROM unnest($1::int[], $2::uuid[]) AS u (environment, customer_id)
CROSS JOIN LATERAL (
    SELECT c.*
    FROM customer AS c
    WHERE c.environment = u.environment AND c.customer_id = u.customer_id
    OFFSET 0) AS c;

-- name: accounts_of_customers
-- The accounts that these customers hold or may look into.
SELECT a.environment, a.account
FROM unnest($1::int[], $2::uuid[]) AS u (environment, customer_id)
CROSS JOIN LATERAL (
    SELECT a.*
    FROM account AS a
    WHERE a.environment = u.environment AND a.holder = u.customer_id
    OFFSET 0) AS a
UNION
SELECT v.environment, v.account
FROM unnest($1::int[], $2::uuid[]) AS u (environment, customer_id)
CROSS JOIN LATERAL (
    SELECT v.*
    FROM account_viewer AS v
    WHERE v.environment = u.environment AND v.customer_id = u.customer_id
    OFFSET 0) AS v;

-- name: lock_whole_accounts
SELECT a.environment, a.account, a.version, a.description, a.status, a.credit_limit, a.on_account,
       a.in_overview, a.holder::text, a.approved, a.reversed, a.issued, a.credited, a.paid, a.refunded,
       ARRAY(SELECT v.customer_id::text FROM account_viewer AS v
             WHERE v.environment = a.environment AND v.account = a.account) AS viewers
FROM (SELECT * FROM unnest($1::int[], $2::text[]) AS u (environment, account)
      ORDER BY environment, account COLLATE "C") AS w
CROSS JOIN LATERAL (
    SELECT a.*
    FROM account AS a
    WHERE a.environment = w.environment AND a.account = w.account
    FOR NO KEY UPDATE) AS a;

-- name: whole_accounts
-- As lock_whole_accounts, for commands that do not look at the sums: under the environment's lock
-- nobody else changes the rest, and sales go on until it is written.
SELECT a.environment, a.account, a.version, a.description, a.status, a.credit_limit, a.on_account,
       a.in_overview, a.holder::text, a.approved, a.reversed, a.issued, a.credited, a.paid, a.refunded,
       ARRAY(SELECT v.customer_id::text FROM account_viewer AS v
             WHERE v.environment = a.environment AND v.account = a.account) AS viewers
FROM unnest($1::int[], $2::text[]) AS u (environment, account)
CROSS JOIN LATERAL (
    SELECT a.*
    FROM account AS a
    WHERE a.environment = u.environment AND a.account = u.account
    OFFSET 0) AS a;

-- name: lock_accounts
-- Before they are written, in the order in which sales lock them.
SELECT count(*) FROM (
    SELECT
    FROM (SELECT * FROM unnest($1::int[], $2::text[]) AS u (environment, account)
          ORDER BY environment, account COLLATE "C") AS w
    CROSS JOIN LATERAL (
        SELECT FROM account AS a
        WHERE a.environment = w.environment AND a.account = w.account
        FOR NO KEY UPDATE) AS a
) AS locked;

-- name: to_credit
-- What stands on invoices of these accounts and was taken back since, sale by sale: the next run
-- credits it. Asked for after the accounts are locked, in a statement of its own.
SELECT b.environment, b.account, sum(greatest(b.billed - s.sold, 0))::bigint AS to_credit
FROM (
    SELECT u.environment, u.account, i.sale_id, sum(i.amount) AS billed
    FROM unnest($1::int[], $2::text[]) AS u (environment, account)
    CROSS JOIN LATERAL (
        SELECT p.sale_id, CASE i.kind WHEN 'issued' THEN p.amount ELSE -p.amount END AS amount
        FROM invoice_effect AS i
        CROSS JOIN LATERAL unnest(i.sales, i.amounts) AS p (sale_id, amount)
        WHERE i.environment = u.environment AND i.account = u.account
        OFFSET 0) AS i
    GROUP BY u.environment, u.account, i.sale_id
    HAVING sum(i.amount) > 0
) AS b
CROSS JOIN LATERAL (
    SELECT s.total - s.reversed AS sold
    FROM sale AS s
    WHERE s.environment = b.environment AND s.sale_id = b.sale_id AND s.reversed > 0
    OFFSET 0) AS s
GROUP BY b.environment, b.account;

-- name: early_sums
-- What invoices and payments came to before their account was open.
SELECT i.environment, i.account,
       (sum(i.amount) FILTER (WHERE i.kind = 'issued'))::bigint AS issued,
       (sum(i.amount) FILTER (WHERE i.kind = 'credited'))::bigint AS credited,
       (sum(i.amount) FILTER (WHERE i.kind = 'paid'))::bigint AS paid,
       (sum(i.amount) FILTER (WHERE i.kind = 'refunded'))::bigint AS refunded
FROM unnest($1::int[], $2::text[]) AS u (environment, account)
CROSS JOIN LATERAL (
    SELECT i.*
    FROM invoice_effect AS i
    WHERE i.environment = u.environment AND i.account = u.account
    OFFSET 0) AS i
GROUP BY i.environment, i.account;

-- name: record_commands
INSERT INTO command (environment, command_id, digest, type, answer, decided_at)
SELECT u.*, $6
FROM unnest($1::int[], $2::uuid[], $3::bytea[], $4::text[], $5::bytea[]) AS u;

-- name: add_environments
INSERT INTO environment (environment, version, active, gdpr_by, gdpr_document, gdpr_at, settings,
                         revision, changed_at)
SELECT u.*, 1, $8
FROM unnest($1::int[], $2::bigint[], $3::bool[], $4::text[], $5::text[], $6::timestamptz[],
            $7::jsonb[]) AS u;

-- name: change_environments
MERGE INTO environment AS e
USING unnest($1::int[], $2::bigint[], $3::bool[], $4::text[], $5::text[], $6::timestamptz[],
             $7::jsonb[])
      AS u (environment, version, active, gdpr_by, gdpr_document, gdpr_at, settings)
ON e.environment = u.environment
WHEN MATCHED THEN
    UPDATE SET version = u.version, active = u.active, gdpr_by = u.gdpr_by,
               gdpr_document = u.gdpr_document, gdpr_at = u.gdpr_at, settings = u.settings,
               changed_at = $8
WHEN NOT MATCHED THEN DO NOTHING;

-- name: new_revisions
-- What a till's directory shows of these environments may have changed. Every change to a customer
-- or an account comes by here, so who told some of them sees by the revision whether any moved on.
UPDATE environment SET revision = revision + 1 WHERE environment = ANY ($1::int[])
RETURNING environment, revision;

-- name: add_customers
-- Here and where accounts are added the arrays are taken apart row by row: in FROM each would be laid
-- down as a whole first, which takes twice as long.
INSERT INTO customer (environment, customer_id, version, erased, fields, name, searched,
                      changed_at)
SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::bool[]),
       unnest($5::jsonb[]), unnest($6::text[]), unnest($7::text[]), $8;

-- name: earlier_names
-- What these customers were called before, each name once.
SELECT c.environment, c.customer_id::text, c.earlier_names
FROM unnest($1::int[], $2::uuid[]) AS u (environment, customer_id)
CROSS JOIN LATERAL (
    SELECT c.*
    FROM customer AS c
    WHERE c.environment = u.environment AND c.customer_id = u.customer_id
    OFFSET 0) AS c;

-- name: change_customers
MERGE INTO customer AS c
USING unnest($1::int[], $2::uuid[], $3::bigint[], $4::bool[], $5::jsonb[], $6::text[], $7::text[])
      AS u (environment, customer_id, version, erased, fields, name, searched)
ON c.environment = u.environment AND c.customer_id = u.customer_id
WHEN MATCHED THEN
    UPDATE SET version = u.version, erased = u.erased, fields = u.fields, name = u.name,
               searched = u.searched, changed_at = $8,
               earlier_names = CASE
                   WHEN u.erased THEN '{}'
                   WHEN c.name = u.name OR c.name = ANY (c.earlier_names) THEN c.earlier_names
                   ELSE array_append(c.earlier_names, c.name) END
WHEN NOT MATCHED THEN DO NOTHING;

-- name: add_accounts
INSERT INTO account (environment, account, version, description, searched, status, credit_limit,
                     on_account, in_overview, holder, issued, credited, paid, refunded, changed_at)
SELECT unnest($1::int[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::text[]),
       unnest($5::text[]), unnest($6::text[]), unnest($7::bigint[]), unnest($8::bool[]),
       unnest($9::bool[]), unnest($10::uuid[]), unnest($11::bigint[]), unnest($12::bigint[]),
       unnest($13::bigint[]), unnest($14::bigint[]), $15;

-- name: change_accounts
-- The sums are not the registry's to write.
MERGE INTO account AS a
USING unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[],
             $8::bool[], $9::bool[], $10::uuid[])
      AS u (environment, account, version, description, searched, status, credit_limit, on_account,
            in_overview, holder)
ON a.environment = u.environment AND a.account = u.account
WHEN MATCHED THEN
    UPDATE SET version = u.version, description = u.description, searched = u.searched,
               status = u.status, credit_limit = u.credit_limit, on_account = u.on_account,
               in_overview = u.in_overview, holder = u.holder, changed_at = $11
WHEN NOT MATCHED THEN DO NOTHING;

-- name: add_viewers
INSERT INTO account_viewer (environment, account, customer_id)
SELECT * FROM unnest($1::int[], $2::text[], $3::uuid[]);

-- name: remove_viewers
MERGE INTO account_viewer AS v
USING unnest($1::int[], $2::text[], $3::uuid[]) AS u (environment, account, customer_id)
ON v.environment = u.environment AND v.account = u.account AND v.customer_id = u.customer_id
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED THEN DO NOTHING;
