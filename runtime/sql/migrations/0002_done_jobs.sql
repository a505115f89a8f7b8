-- Jobs that are done go after a time: this finds them, however many others the table holds.
CREATE INDEX job_done ON job (kind, ended_at) WHERE state = 'done';
