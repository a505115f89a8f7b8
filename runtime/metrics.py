"""The edge's own figures, in Prometheus form beside FastStream's."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("onaccount_records", "Records taken from the log", ["topic", "fate"])
BATCH_SECONDS = Histogram(
    "onaccount_batch_seconds",
    "From a batch in hand to its answers' acks",
    ["lane"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH_RECORDS = Histogram(
    "onaccount_batch_records",
    "Records of a batch",
    ["lane"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
ANSWERS = Counter("onaccount_answers", "Answers published and acknowledged", ["type"])
DEAD_LETTERS = Counter(
    "onaccount_dead_letters", "Records sent to the dead letters", ["topic", "cause"]
)
WAITS = Counter("onaccount_waits", "Faults of the surroundings that were waited out", ["where"])
RETRIES = Counter("onaccount_retried_batches", "Batches decided again", ["why"])
LAG = Gauge("onaccount_lag_records", "Records of the log not yet decided", ["topic", "partition"])
JOBS = Counter("onaccount_jobs", "Jobs by how they ended", ["kind", "end"])
OLDEST_JOB = Gauge(
    "onaccount_oldest_job_seconds", "Since the oldest open job was asked for; 0: none", ["kind"]
)
STUCK = Gauge(
    "onaccount_stuck_jobs", "Jobs that this worker put off, for want of what they need", ["kind"]
)
READY = Gauge("onaccount_ready", "1 while the worker serves")
STOPPED = Gauge("onaccount_stopped", "1 while it stands still on purpose, alive", ["cause"])
