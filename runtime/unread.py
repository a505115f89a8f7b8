"""Whether a topic holds what a service has not read yet, of before a certain moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from runtime.edge.unpacking import Unreadable, bound

AnyUnread = Callable[[datetime, Mapping[int, int]], Awaitable[bool]]
"""As `Unread.before`."""

TIMEOUT_S = 10.0
FETCH_BYTES = 1 << 20

bound()


class Unread:
    """Looks at one topic from beside the group, over a connection that it opens for that."""

    def __init__(self, client: dict[str, Any], topic: str) -> None:
        self._client = client
        self._topic = topic

    async def before(self, at: datetime, read: Mapping[int, int]) -> bool:
        """Whether Kafka took a record in before `at` that is not read yet.

        `read` gives the next offset by partition, and nothing for one of which nothing was read.
        Kafka's own times never go back within a partition, so its first unread record tells. What
        is no record counts for nothing: a transaction's mark, and what was deleted.

        Raises KafkaError, OSError or TimeoutError (also where a transaction stays open).
        """
        consumer = AIOKafkaConsumer(
            self._topic,
            **self._client,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            fetch_max_wait_ms=100,
            request_timeout_ms=9_000,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await consumer.start()
                return await _any_before(consumer, at.timestamp() * 1000, read)
        finally:
            await consumer.stop()


async def _any_before(consumer: Any, at_ms: float, read: Mapping[int, int]) -> bool:
    places: list[TopicPartition] = sorted(consumer.assignment())
    begins = await consumer.beginning_offsets(places)
    ends = await consumer.end_offsets(places)
    for tp in places:
        consumer.seek(tp, max(begins[tp], read.get(tp.partition, 0)))
    while True:
        for tp in [*places]:
            if await consumer.position(tp) >= ends[tp]:
                consumer.pause(tp)
                places.remove(tp)
        if not places:
            return False
        try:
            found = await consumer.getmany(*places, timeout_ms=1_000, max_records=1)
        except (KafkaError, OSError):
            raise
        except Exception:
            return True  # a record that can't be unpacked: its lane will soon have passed it
        for tp, (first, *_) in found.items():
            if type(first) is Unreadable or first.timestamp < at_ms:
                return True  # of what can't be unpacked nobody knows when it came
            consumer.pause(tp)
            places.remove(tp)
