-- What a venue has after three years, put straight into the services' tables by a superuser: what
-- tills, tellers and workers would have made in months of running. Each refers to the others as
-- theirs would; sums and balances are added up from the rows at the end.

-- name: begin
CREATE SCHEMA IF NOT EXISTS three;
CREATE UNLOGGED TABLE IF NOT EXISTS three.sale (
    environment int, n bigint, sale_id uuid, account text, month int, at timestamptz, beers int,
    invoice_id uuid);
CREATE UNLOGGED TABLE IF NOT EXISTS three.invoice (
    environment int, invoice_id uuid, account text, month int, period text, day date, seq int,
    beer bigint, meal bigint, sales uuid[], amounts bigint[], paid boolean);

-- name: house
INSERT INTO authorizer.environment (environment, version, revision, active, gdpr_by, gdpr_document,
                                    gdpr_at, settings, changed_at)
SELECT $1, 3, 6, true, 'M. de Vries', 'v3', $2, $3::jsonb, $2;

-- name: houses_copies
WITH its AS (
    SELECT $1::int AS environment, $2::jsonb AS state
), imports AS (
    INSERT INTO importer.environment (environment, version, gdpr_accepted, import_enabled, language,
                                      country, told, default_on_account)
    SELECT environment, 3, true, true, 'nl', 'NL', true, true FROM its
)
INSERT INTO invoicer.environment (environment, version, state, schedule_since)
SELECT environment, 3, state, now() FROM its;

-- name: people
-- $2 customers, in the registry and its copies.
WITH guest AS (
    SELECT n, md5('customer' || $1::int || '/' || n)::uuid AS customer_id,
           jsonb_build_object(
               'first_name', 'Gast ' || chr(65 + n % 26), 'last_name', 'Jansen ' || n,
               'email', 'gast' || n || '@club' || $1::int || '.nl', 'street', 'Kerkweg ' || n % 400,
               'postcode', '3456 CD', 'city', 'Zeist') AS fields
    FROM generate_series(0, $2::int - 1) AS n
), known AS (
    INSERT INTO authorizer.customer (environment, customer_id, version, erased, fields, name,
                                     searched, changed_at)
    SELECT $1, customer_id, 1, false, fields, 'Gast ' || chr(65 + n % 26) || ' Jansen ' || n,
           'gast ' || chr(97 + n % 26) || ' jansen ' || n, now()
    FROM guest
), copied AS (
    INSERT INTO importer.customer (environment, customer_id, version, erased, fields, email_key,
                                   name_key)
    SELECT $1, customer_id, 1, false, fields, fields ->> 'email',
           'gast' || chr(97 + n % 26) || 'jansen' || n
    FROM guest
)
INSERT INTO invoicer.customer (environment, customer_id, version, state)
SELECT $1, customer_id, 1,
       fields || jsonb_build_object('type', 'customer.state', 'environment', $1::int, 'customer_id',
                                    customer_id, 'version', 1, 'erased', false)
FROM guest;

-- name: accounts
-- $2 accounts, held by the $3 customers in turn.
WITH it AS (
    SELECT n, $1::int || lpad(n::text, 6, '0') AS account,
           md5('customer' || $1::int || '/' || n % $3::int)::uuid AS holder
    FROM generate_series(0, $2::int - 1) AS n
), known AS (
    INSERT INTO authorizer.account (environment, account, credit_limit, status, on_account,
                                    in_overview, version, description, searched, holder, changed_at)
    SELECT $1, account, 100000000, 'active', true, true, 1, '', account, holder, now() FROM it
), copied AS (
    INSERT INTO importer.account (environment, account, version, fields, holder, viewers)
    SELECT $1, account, 1, '{"limit": 100000000, "status": "active", "on_account": true,
           "description": "", "in_overview": true}', holder, '{}'
    FROM it
)
INSERT INTO invoicer.account (environment, account, version, holder, state)
SELECT $1, account, 1, holder,
       jsonb_build_object('type', 'account.state', 'environment', $1::int, 'account', account,
                          'version', 1, 'description', '', 'status', 'active', 'limit', 100000000,
                          'on_account', true, 'in_overview', true, 'holder', holder, 'viewers',
                          '[]'::jsonb)
FROM it;

-- name: sales
-- $2 sales in $3 months before $6, those of the last month ($7) over all $4 accounts, the others over
-- the $5 who come every month.
INSERT INTO three.sale (environment, n, sale_id, account, month, at, beers)
SELECT $1, n, md5('sale' || $1::int || '/' || n)::uuid,
       $1::int || lpad(((hashint8extended(n, 0) & 2147483647) % m.among)::text, 6, '0'),
       m.month, m.first + (m.after - m.first) * ((n - m.begins)::float8 / m.sales), 1 + (n % 4)::int
FROM (SELECT month, month * ($2::bigint / $3::int) AS begins,
             CASE WHEN month = $3::int - 1 THEN $7::bigint ELSE $2::bigint / $3::int END AS sales,
             CASE WHEN month = $3::int - 1 THEN $4::int ELSE $5::int END AS among,
             $6::timestamptz - make_interval(months => $3::int - month) AS first,
             $6::timestamptz - make_interval(months => $3::int - month - 1) AS after
      FROM generate_series(0, $3::int - 1) AS month) AS m
CROSS JOIN LATERAL generate_series(m.begins, m.begins + m.sales - 1) AS n;

-- name: invoices
-- One an account and month, but for the last month, which is still to be invoiced.
INSERT INTO three.invoice
SELECT $1, md5('invoice' || environment || account || month)::uuid, account, month,
       to_char(first, 'YYYY-MM'), (first + interval '1 month')::date,
       row_number() OVER (PARTITION BY extract(year FROM first + interval '1 month')
                          ORDER BY month, account),
       beer, meal, sales, amounts, hashtext(account || month) % 8 <> 0
FROM (SELECT environment, account, month, $3::timestamptz - make_interval(months => $2::int - month) AS first,
             sum(350 * beers) AS beer, sum(975) AS meal, array_agg(sale_id ORDER BY n) AS sales,
             array_agg(350 * beers + 975 ORDER BY n) AS amounts
      FROM three.sale WHERE environment = $1 AND month < $2::int - 1
      GROUP BY environment, account, month) AS a;

-- name: invoiced
UPDATE three.sale AS s SET invoice_id = md5('invoice' || s.environment || s.account || s.month)::uuid
WHERE s.environment = $1 AND s.month < $2::int - 1;

-- name: decided
INSERT INTO authorizer.sale (environment, sale_id, state, recorded, account, digest, total,
                             decided_at, answer)
SELECT environment, sale_id, 'approved', false, account, sha256(sale_id::text::bytea),
       350 * beers + 975, s.at,
       convert_to('{"type":"sale.approved","sale_id":"' || sale_id || '","environment":' || environment
           || ',"terminal":"bar-' || n % 40 || '","account":"' || account || '","at":"' || t.moment
           || '","booked_at":"' || t.moment || '","decided_at":"' || t.moment || '","currency":"EUR","total":'
           || 350 * beers + 975 || ',"lines":[{"description":"Pils 25 cl","quantity":"' || beers
           || '","unit_price":350,"vat_rate":"21","total":' || 350 * beers
           || '},{"description":"Uitsmijter","quantity":"1","unit_price":975,"vat_rate":"9","total":975}]'
           || ',"online":true,"over_limit":false,"limit":100000000,"used":' || n % 90000
           || ',"available":' || 100000000 - n % 90000 || '}', 'UTF8')
FROM three.sale AS s
CROSS JOIN LATERAL (SELECT to_char(s.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS moment) AS t
WHERE environment = $1;

-- name: effects
INSERT INTO authorizer.invoice_effect (environment, kind, id, account, amount, sales, amounts)
SELECT environment, 'issued', invoice_id, account, beer + meal, sales, amounts
FROM three.invoice WHERE environment = $1
UNION ALL
SELECT environment, 'paid', md5('payment' || invoice_id)::uuid, account, beer + meal, NULL, NULL
FROM three.invoice WHERE environment = $1 AND paid;

-- name: authorizers_sums
UPDATE authorizer.account AS a
SET approved = s.approved, issued = coalesce(i.issued, 0), paid = coalesce(i.paid, 0)
FROM (SELECT account, sum(350 * beers + 975) AS approved FROM three.sale WHERE environment = $1
      GROUP BY account) AS s
LEFT JOIN (SELECT account, sum(beer + meal) AS issued, sum(beer + meal) FILTER (WHERE paid) AS paid
           FROM three.invoice WHERE environment = $1 GROUP BY account) AS i USING (account)
WHERE a.environment = $1 AND a.account = s.account;

-- name: commands
-- As many as accounts were opened and changed one by one since.
INSERT INTO authorizer.command (environment, command_id, digest, decided_at, type, answer)
SELECT $1, md5('command' || $1::int || n)::uuid, sha256(n::text::bytea), now() - make_interval(secs => n),
       'command.applied', convert_to('{"type":"command.applied","command_id":"'
       || md5('command' || $1::int || n)::uuid || '","environment":' || $1::int
       || ',"changes":[{"kind":"account","id":"28900010","change":"changed"}]}', 'UTF8')
FROM generate_series(1, $2::int) AS n;

-- name: directories
-- $2 revisions that some till signed on to, each with all accounts in pages, as they were told.
INSERT INTO authorizer.directory (environment, revision, pages)
SELECT $1, r, pages
FROM generate_series(1, $2::int) AS r
CROSS JOIN (
    SELECT array_agg(page ORDER BY number) AS pages
    FROM (
        SELECT number, convert_to('[' || string_agg(
            '{"account":"' || account || '","name":"' || name || '","description":""}', ','
            ORDER BY place) || ']', 'UTF8') AS page
        FROM (SELECT account, name, place, place / 2500 AS number
              FROM (SELECT a.account, c.name, row_number() OVER (ORDER BY c.name, a.account) - 1 AS place
                    FROM authorizer.account AS a
                    JOIN authorizer.customer AS c ON c.environment = a.environment
                        AND c.customer_id = a.holder
                    WHERE a.environment = $1) AS o) AS p
        GROUP BY number) AS whole) AS w;

-- name: sessions
INSERT INTO authorizer.session (environment, session_id, terminal, revision, answered_at)
SELECT $1, md5('session' || $1::int || n)::uuid, 'bar-' || n % 40, 1 + n % $3::int,
       now() - make_interval(secs => n * 60)
FROM generate_series(1, $2::int) AS n;

-- name: searches
INSERT INTO authorizer.search (environment, search_id, terminal, digest, answered_at, answer)
SELECT $1, md5('search' || $1::int || n)::uuid, 'bar-' || n % 40, sha256(n::text::bytea),
       now() - make_interval(secs => n * 60),
       convert_to('{"type":"directory.found","search_id":"' || md5('search' || $1::int || n)::uuid
           || '","environment":' || $1::int || ',"terminal":"bar-' || n % 40 || '","accounts":['
           || (SELECT string_agg('{"account":"' || $1::int || lpad((n * 7 + k)::text, 6, '0')
                   || '","name":"Gast Jansen ' || n * 7 + k || '","description":"","status":"active",'
                   || '"on_account":true}', ',') FROM generate_series(1, 1 + n % 12) AS k)
           || ']}', 'UTF8')
FROM generate_series(1, $2::int) AS n;

-- name: invoicers_sales
INSERT INTO invoicer.sale (environment, sale_id, account, terminal, booked_at, currency, total)
SELECT environment, sale_id, account, 'bar-' || n % 40, at, 'EUR', 350 * beers + 975
FROM three.sale WHERE environment = $1;

-- name: invoicers_lines
INSERT INTO invoicer.sale_line (environment, sale_id, line, account, booked_at, description, quantity,
                                unit_price, vat_rate, approved, billed)
SELECT environment, sale_id, l.line, account, at, l.description, l.quantity, l.unit_price, l.vat_rate,
       l.amount, CASE WHEN invoice_id IS NULL THEN 0 ELSE l.amount END
FROM three.sale
CROSS JOIN LATERAL (VALUES (0, 'Pils 25 cl', beers::text, 350, '21', 350 * beers),
                           (1, 'Uitsmijter', '1', 975, '9', 975))
    AS l (line, description, quantity, unit_price, vat_rate, amount)
WHERE environment = $1;

-- name: runs
INSERT INTO invoicer.run (environment, run_id, digest, period, until, mode, send, asked_by, state,
                          asked_at, ended_at)
SELECT DISTINCT environment, 'schedule:' || period, sha256(period::bytea), period, day, 'issue', true,
       'schedule', 'completed', day::timestamptz, day::timestamptz
FROM three.invoice WHERE environment = $1;

-- name: run_items
INSERT INTO invoicer.run_item (environment, run_id, account, done)
SELECT environment, 'schedule:' || period, account, true FROM three.invoice WHERE environment = $1;

-- name: series
INSERT INTO invoicer.series (environment, series, year, last_seq, last_issued_at, last_issued_on)
SELECT environment, 'invoice', extract(year FROM day), max(seq), max(day), max(day)
FROM three.invoice WHERE environment = $1 GROUP BY environment, extract(year FROM day);

-- name: numbers
INSERT INTO invoicer.number (environment, series, year, seq, number, kind, document_id, issued_at,
                             issued_on)
SELECT environment, 'invoice', extract(year FROM day), seq,
       extract(year FROM day) || '-' || lpad(seq::text, greatest(5, length(seq::text)), '0'), 'invoice',
       invoice_id, day, day
FROM three.invoice WHERE environment = $1 ORDER BY month, account;

-- name: letterhead
INSERT INTO invoicer.letterhead (environment, sha256, content)
SELECT $1, sha256('letterhead'), '{"name": "De Club", "legal_name": "Stichting De Club"}';

-- name: invoicers_invoices
INSERT INTO invoicer.invoice (environment, invoice_id, version, account, period, run_id, send, status,
                              number, drafted_on, issued_at, issued_on, due_on, currency, total, vat,
                              paid, letterhead, buyer, language)
SELECT environment, invoice_id, 3, account, period, 'schedule:' || period, true,
       CASE WHEN paid THEN 'paid' ELSE 'sent' END,
       extract(year FROM day) || '-' || lpad(seq::text, greatest(5, length(seq::text)), '0'),
       day, day, day, day + 14, 'EUR', beer + meal,
       jsonb_build_array(
           jsonb_build_object('rate', '21', 'base', beer - round(beer * 21.0 / 121), 'vat',
                              round(beer * 21.0 / 121), 'gross', beer),
           jsonb_build_object('rate', '9', 'base', meal - round(meal * 9.0 / 109), 'vat',
                              round(meal * 9.0 / 109), 'gross', meal)),
       CASE WHEN paid THEN beer + meal ELSE 0 END, sha256('letterhead'),
       '{"name": "Gast Jansen", "email": "gast@club.nl", "address": {"city": "Zeist", "street":
         "Kerkweg 2", "country": "NL", "postcode": "3456 CD"}, "company": null, "peppol_id": null,
         "vat_number": null, "chamber_number": null}', 'nl'
FROM three.invoice WHERE environment = $1 ORDER BY month, account;

-- name: invoicers_invoice_lines
INSERT INTO invoicer.invoice_line (environment, invoice_id, position, sale_id, line, amount)
SELECT i.environment, i.invoice_id, 2 * (u.place - 1) + l.line, u.sale_id, l.line,
       CASE l.line WHEN 0 THEN u.amount - 975 ELSE 975 END
FROM three.invoice AS i
CROSS JOIN LATERAL unnest(i.sales, i.amounts) WITH ORDINALITY AS u (sale_id, amount, place)
CROSS JOIN (VALUES (0), (1)) AS l (line)
WHERE i.environment = $1 ORDER BY i.month, i.account;

-- name: payments
INSERT INTO invoicer.payment (environment, payment_id, invoice_id, amount, received_at, method,
                              recorded_by, open, recorded_at)
SELECT environment, md5('payment' || invoice_id)::uuid, invoice_id, beer + meal, day + 9, 'bank',
       'finance', 0, day + 10
FROM three.invoice WHERE environment = $1 AND paid;

-- name: requests
INSERT INTO invoicer.request (environment, kind, id, digest, touched, asked_at)
SELECT environment, 'payment', md5('payment' || invoice_id)::uuid::text, sha256(account::bytea),
       ARRAY[invoice_id], day + 10
FROM three.invoice WHERE environment = $1 AND paid;

-- name: answers
INSERT INTO invoicer.answer (environment, kind, id, position, topic, key, ce_id, ce_type, ce_time, value)
SELECT environment, 'payment', md5('payment' || invoice_id)::uuid::text, a.position, 'invoices.events',
       environment || ':' || account, a.type || '/' || environment || '/' || invoice_id, a.type, day + 10,
       convert_to(rpad('{"type":"' || a.type || '","invoice_id":"' || invoice_id || '"', a.length, '.'),
                  'UTF8')
FROM three.invoice
CROSS JOIN (VALUES (0, 'payment.received', 330), (1, 'invoice.paid', 230), (2, 'command.applied', 300))
    AS a (position, type, length)
WHERE environment = $1 AND paid;

-- name: mails
INSERT INTO invoicer.mail (environment, mail_id, kind, ref, recipient, state, message_id, handed_over,
                           attempts, said, created_at, ended_at)
SELECT environment, md5('mail' || invoice_id)::uuid, 'invoice', invoice_id::text, 'gast@club.nl', 'sent',
       '<' || md5('message' || invoice_id) || '@onaccount.invalid>', 1, 1, '', day, day
FROM three.invoice WHERE environment = $1;

-- name: documents
-- Rows of their number, with next to nothing in them: real ones would fill the disk.
INSERT INTO invoicer.document (environment, document_id, draft, format, file_name, media_type, sha256,
                               content, made_at)
SELECT environment, invoice_id, false, f.format, seq || '.' || f.format, 'application/' || f.format,
       sha256(account::bytea), convert_to(account, 'UTF8'), day
FROM three.invoice CROSS JOIN (VALUES ('pdf'), ('xlsx'), ('ubl')) AS f (format)
WHERE environment = $1;

-- name: balances
INSERT INTO ledger.balance (environment, account, currency, unbilled, billed, version, fingerprint)
SELECT environment, account, 'EUR',
       sum((SELECT coalesce(sum(amount), 0) FROM unnest(ledger_accounts, amounts)
            AS leg (name, amount) WHERE name = 'receivable:unbilled')),
       sum((SELECT coalesce(sum(amount), 0) FROM unnest(ledger_accounts, amounts)
            AS leg (name, amount) WHERE name = 'receivable:billed')), count(*),
       bit_xor(('x' || encode(substring(sha256(answer) FROM 1 FOR 8), 'hex'))::bit(64)::bigint)
FROM ledger.entry WHERE environment = $1 GROUP BY environment, account;

-- name: charges
SELECT sale_id::text, account, at, 350 * beers AS beer FROM three.sale
WHERE environment = $1 ORDER BY n;

-- name: billings
SELECT i.invoice_id::text, i.account, t.day::timestamptz AS at, i.total, i.vat,
       CASE WHEN t.paid THEN md5('payment' || i.invoice_id)::uuid::text END AS payment
FROM three.invoice AS t JOIN invoicer.invoice AS i USING (environment, invoice_id)
WHERE environment = $1 ORDER BY t.month;

-- name: sizes
-- Bytes of each schema, indexes and all.
SELECT n.nspname, sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[]) AND c.relkind = 'r'
GROUP BY n.nspname ORDER BY n.nspname;
