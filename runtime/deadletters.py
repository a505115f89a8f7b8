"""Dead letters and retries: the records' names, headers and bytes.

A dead letter is the original record (key, value, headers) on `GROUP.dead-letters`, with where it
came from and why in added headers. An operator's retry puts the same bytes on `GROUP.retries`,
which only that group reads, with the origin's headers kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runtime.answers import Outgoing

ORIGIN_TOPIC = "onaccount-origin-topic"
ORIGIN_PARTITION = "onaccount-origin-partition"
ORIGIN_OFFSET = "onaccount-origin-offset"
ORIGIN_TIME = "onaccount-origin-time"  # milliseconds since 1970: the first record's time
CAUSE = "onaccount-cause"
ADDED = (ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ORIGIN_TIME, CAUSE)


def dead_letters(group: str) -> str:
    return f"{group}.dead-letters"


def retries(group: str) -> str:
    return f"{group}.retries"


def header(record: Any, name: str) -> str | None:
    """The last header of that name as text, None where it is missing or not text."""
    for key, value in reversed(record.headers):
        if key == name and value is not None:
            try:
                return bytes(value).decode()
            except UnicodeDecodeError:
                return None
    return None


def origin(record: Any, group: str) -> tuple[str, datetime]:
    """Topic and time that count for a record: of a retry, those of its first record."""
    topic, stamp = record.topic, record.timestamp
    if topic == retries(group):
        topic = header(record, ORIGIN_TOPIC) or topic
        first = header(record, ORIGIN_TIME)
        if first is not None and first.isdigit() and len(first) <= 14:
            stamp = int(first)
    return topic, datetime.fromtimestamp(stamp / 1000, UTC)


def dead_letter(record: Any, group: str, cause: str) -> Outgoing:
    """The record as a dead letter. `cause` holds no data of the record."""
    kept = [(k, v) for k, v in record.headers if k not in ADDED]
    topic, time = origin(record, group)
    partition, offset = str(record.partition), str(record.offset)
    if record.topic == retries(group):
        partition = header(record, ORIGIN_PARTITION) or partition
        offset = header(record, ORIGIN_OFFSET) or offset
    return Outgoing(
        dead_letters(group),
        record.key,
        record.value,
        [
            *kept,
            (ORIGIN_TOPIC, topic.encode()),
            (ORIGIN_PARTITION, partition.encode()),
            (ORIGIN_OFFSET, offset.encode()),
            (ORIGIN_TIME, str(int(time.timestamp() * 1000)).encode()),
            (CAUSE, cause[:1_000].encode()),
        ],
    )
