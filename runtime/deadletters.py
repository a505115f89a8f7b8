"""Dead letters and retries: the records' names, headers and bytes.

A dead letter is the original record (key, value, headers) on `GROUP.dead-letters`, with where it
came from and why in added headers. An operator's retry puts the same bytes on `GROUP.retries`,
which only that group reads, with the origin's headers kept. A person's note that a dead letter
needs no more stands among them: no value, and DISMISSED.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runtime.answers import Headers, Outgoing
from schemas.topics import MIB

ORIGIN_TOPIC = "onaccount-origin-topic"
ORIGIN_PARTITION = "onaccount-origin-partition"
ORIGIN_OFFSET = "onaccount-origin-offset"
ORIGIN_TIME = "onaccount-origin-time"  # milliseconds since 1970: the first record's time
CAUSE = "onaccount-cause"
CUT = "onaccount-cut"  # of a record too great for its topic: how many bytes its value had
DISMISSED = "onaccount-dismissed"  # the place of the letter that needs no more, PARTITION:OFFSET
ADDED = (ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ORIGIN_TIME, CAUSE, CUT)

# Topics count compressed bytes, so a record can unpack to more than any topic takes.
MOST_VALUE_BYTES = 2 * MIB
MOST_HEADER_BYTES = 48 * 1024


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
        if first is not None and first.isascii() and first.isdigit() and len(first) <= 14:
            stamp = int(first)
    return topic, datetime.fromtimestamp(stamp / 1000, UTC)


def dead_letter(record: Any, group: str, cause: str) -> Outgoing:
    """The record as a dead letter. `cause` holds no data of the record.

    A record too great for a letter is cut, and says so: its origin still has all of it.
    """
    kept = [(k, v if v is None else bytes(v)) for k, v in record.headers if k not in ADDED]
    topic, time = origin(record, group)
    partition, offset = str(record.partition), str(record.offset)
    if record.topic == retries(group):
        partition = header(record, ORIGIN_PARTITION) or partition
        offset = header(record, ORIGIN_OFFSET) or offset
    added: Headers = [
        (ORIGIN_TOPIC, topic.encode()),
        (ORIGIN_PARTITION, partition.encode()),
        (ORIGIN_OFFSET, offset.encode()),
        (ORIGIN_TIME, str(int(time.timestamp() * 1000)).encode()),
        (CAUSE, cause[:1_000].encode()),
    ]
    key, value = record.key, record.value
    besides = len(key or b"") + sum(len(k) * 4 + len(v or b"") + 16 for k, v in kept)
    if len(value or b"") > MOST_VALUE_BYTES or besides > MOST_HEADER_BYTES:
        added.append((CUT, str(len(value or b"")).encode()))
        value = None if value is None else value[:MOST_VALUE_BYTES]
    if besides > MOST_HEADER_BYTES:
        kept, key = [], (key or b"")[: MOST_HEADER_BYTES // 2]
    if key is None and value is None:
        value = b""  # aiokafka's producer sends no record without both
    return Outgoing(dead_letters(group), key, value, [*kept, *added])
