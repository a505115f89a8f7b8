-- What the rows so far make and change is asked for only while the same workbook is planned, by the
-- worker that plans it: it keeps that by itself (store/earlier.py). What others need of it stays.

-- The highest number of the environment's series that a job that goes on has planned.
ALTER TABLE upload ADD last_planned bigint;
UPDATE upload AS u SET last_planned = p.series
FROM (SELECT environment, job_id, max(series) AS series FROM planned_account GROUP BY 1, 2) AS p
WHERE p.environment = u.environment AND p.job_id = u.job_id AND p.series > 0;
CREATE INDEX upload_last_planned ON upload (environment, last_planned)
    WHERE last_planned IS NOT NULL;

DROP TABLE planned_account;
DROP TABLE planned_key;

-- Whom accounts that there were are linked to, as they will be: a preview tells their names.
ALTER TABLE planned_customer DROP made_by, DROP said_by;
