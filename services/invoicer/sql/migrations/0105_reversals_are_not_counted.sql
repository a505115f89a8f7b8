-- How many reversals took something off a sale was counted and never asked for. The column stays: workers
-- of before still write it while an update is rolled out, and to drop it would stop them.
COMMENT ON COLUMN sale.reversals IS 'Not written any more, and never read; may be dropped once no older worker can come back.';
