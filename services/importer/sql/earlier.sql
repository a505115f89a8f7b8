-- SQLite's: what the rows of a workbook so far make and change, while it is planned. `who` is the row
-- that makes a customer, or the id of one that the registry has.

-- name: make
CREATE TABLE known (key INTEGER, who, PRIMARY KEY (key, who)) WITHOUT ROWID;
CREATE TABLE customer (who PRIMARY KEY, fields TEXT NOT NULL, said_by TEXT) WITHOUT ROWID;
CREATE TABLE account (account TEXT PRIMARY KEY, row INTEGER, fields TEXT NOT NULL, holder)
    WITHOUT ROWID;

-- name: make_held
CREATE INDEX held ON account (holder) WHERE holder IS NOT NULL;

-- name: alike
SELECT who FROM known WHERE key IN (SELECT value FROM json_each(?));

-- name: customers
SELECT who, fields, said_by FROM customer WHERE who IN (SELECT value FROM json_each(?));

-- name: accounts
SELECT account, row, fields, holder FROM account
WHERE account IN (SELECT value FROM json_each(?));

-- name: held
SELECT account, row, fields, holder FROM account
WHERE holder IN (SELECT value FROM json_each(?));

-- name: add_keys
-- A key that a customer no longer has stays: who is found by it is looked at again.
INSERT OR IGNORE INTO known VALUES (?, ?);

-- name: add_customers
INSERT OR REPLACE INTO customer VALUES (?, ?, ?);

-- name: add_accounts
INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?);
