-- The invoicer tells again, on invoices.events, what moves money: each invoice, credit note, payment and
-- refund that it has. For a topic that was lost before ledger and authorizer had read all of it
-- (docs/runbook.md). Whoever has a thing already counts it once, so this may be run again.
--
--     psql -f deploy/postgres/tell-invoices-again.sql     -- as the login invoicer, or a superuser
--
-- A worker publishes what stands in `unpublished`, within seconds. What a command made (and all
-- payments) is told with the bytes of then; what a run issued is worded anew from its rows, without
-- `replaces`, which moves no money. No mail goes out again.

BEGIN;
SET LOCAL search_path = invoicer;
SET LOCAL TIME ZONE 'UTC';

WITH told AS (
    SELECT key, ce_id, ce_type, ce_time, value FROM answer
    WHERE topic = 'invoices.events'
      AND ce_type IN ('invoice.issued', 'credit_note.issued', 'payment.received', 'payment.refunded')
), invoices AS (
    SELECT i.environment || ':' || i.account AS key,
           'invoice.issued/' || i.environment || '/' || i.invoice_id AS ce_id,
           'invoice.issued' AS ce_type, i.issued_at AS ce_time,
           convert_to(json_build_object(
               'type', 'invoice.issued', 'invoice_id', i.invoice_id, 'number', i.number,
               'environment', i.environment, 'account', i.account, 'period', i.period,
               'issued_at', i.issued_at, 'due_on', i.due_on, 'currency', i.currency,
               'total', i.total, 'vat', i.vat, 'sales', s.sales)::text, 'UTF8') AS value
    FROM invoice AS i
    CROSS JOIN LATERAL (
        SELECT coalesce(json_agg(json_build_object('sale_id', sale_id, 'amount', amount)
                                 ORDER BY position), '[]') AS sales
        FROM (SELECT l.sale_id, sum(l.amount)::bigint AS amount, min(l.position) AS position
              FROM invoice_line AS l
              WHERE (l.environment, l.invoice_id) = (i.environment, i.invoice_id)
              GROUP BY l.sale_id) AS of_a_sale) AS s
    WHERE i.number IS NOT NULL
), credit_notes AS (
    SELECT c.environment || ':' || c.account AS key,
           'credit_note.issued/' || c.environment || '/' || c.credit_note_id AS ce_id,
           'credit_note.issued' AS ce_type, c.issued_at AS ce_time,
           convert_to(json_build_object(
               'type', 'credit_note.issued', 'credit_note_id', c.credit_note_id, 'number', c.number,
               'invoice_id', c.invoice_id, 'environment', c.environment, 'account', c.account,
               'issued_at', c.issued_at, 'currency', c.currency, 'total', c.total, 'vat', c.vat,
               'sales', s.sales, 'frees', c.frees, 'reason', c.reason)::text, 'UTF8') AS value
    FROM credit_note AS c
    CROSS JOIN LATERAL (
        SELECT coalesce(json_agg(json_build_object('sale_id', sale_id, 'amount', amount)
                                 ORDER BY position), '[]') AS sales
        FROM (SELECT l.sale_id, sum(l.amount)::bigint AS amount, min(l.position) AS position
              FROM credit_line AS l
              WHERE (l.environment, l.credit_note_id) = (c.environment, c.credit_note_id)
              GROUP BY l.sale_id) AS of_a_sale) AS s
)
INSERT INTO unpublished (topic, key, ce_id, ce_type, ce_time, value)
SELECT 'invoices.events', key, ce_id, ce_type, ce_time, value
FROM (SELECT * FROM told
      UNION ALL
      SELECT * FROM (TABLE invoices UNION ALL TABLE credit_notes) AS made
      WHERE ce_id NOT IN (SELECT ce_id FROM told)) AS every
ORDER BY ce_time, ce_id;
COMMIT;
