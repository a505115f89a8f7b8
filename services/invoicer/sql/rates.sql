-- name: record
INSERT INTO exchange_rate (environment, command_id, currency, rate, valid_from, set_by)
VALUES ($1, $2, $3, $4::text::numeric, $5, $6);

-- name: on_day
-- The rate that counts on a day.
SELECT rate::text FROM exchange_rate
WHERE environment = $1 AND currency = $2 AND valid_from <= $3
ORDER BY valid_from DESC, set_at DESC LIMIT 1;
