-- `invoices pending --mails` read all mails that were ever sent, of which few wait.
CREATE INDEX mail_pending ON mail (environment, created_at) WHERE state = 'pending';

-- A PDF takes half when it is compressed, the UBL a tenth; of an XLSX PostgreSQL sees soon that it can't
-- (docs/decisions/0116). What stands there already stays as it is.
ALTER TABLE document ALTER COLUMN content SET STORAGE EXTENDED;
