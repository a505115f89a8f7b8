"""Whether a topic holds what a service has not read yet, of before a certain moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from math import inf
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from runtime.edge.unpacking import Unreadable, bound

AnyUnread = Callable[[datetime, Mapping[int, int]], Awaitable[bool]]
"""As `Unread.before`."""

TIMEOUT_S = 10.0
FETCH_BYTES = 1 << 20
CLOCKS_MS = 60_000
"""Kafka's clock may be so far behind this machine's: what it takes in now is no older than that."""

bound()


class Unread:
    """Looks at one topic from beside the group, over a connection that it opens for that.

    What was read up to some moment is so for good: of thousands of jobs that fell due while their
    worker was off one looks for all of them.
    """

    def __init__(self, client: dict[str, Any], topic: str) -> None:
        self._client = client
        self._topic = topic
        self._read_ms = 0.0

    async def before(self, at: datetime, read: Mapping[int, int]) -> bool:
        """Whether Kafka took a record in before `at` that is not read yet.

        `read` gives the next offset by partition, and nothing for one of which nothing was read.
        Kafka's own times never go back within a partition, so its first unread record tells. What
        is no record counts for nothing: a transaction's mark, and what was deleted.

        Raises KafkaError, OSError or TimeoutError (also where a transaction stays open).
        """
        at_ms = at.timestamp() * 1000
        if at_ms <= self._read_ms:
            return False
        until_ms = max(at_ms, time.time() * 1000 - CLOCKS_MS)
        oldest_ms = await self._oldest_ms(read)
        if oldest_ms >= until_ms:
            self._read_ms = until_ms
        return oldest_ms < at_ms

    async def _oldest_ms(self, read: Mapping[int, int]) -> float:
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
                return await _oldest_ms(consumer, read)
        finally:
            await consumer.stop()


async def _oldest_ms(consumer: Any, read: Mapping[int, int]) -> float:
    """When the oldest record came in that is not read: infinity where all are, minus infinity where
    nobody knows."""
    places: list[TopicPartition] = sorted(consumer.assignment())
    begins = await consumer.beginning_offsets(places)
    ends = await consumer.end_offsets(places)
    for tp in places:
        consumer.seek(tp, max(begins[tp], read.get(tp.partition, 0)))
    oldest_ms = inf
    while True:
        for tp in [*places]:
            if await consumer.position(tp) >= ends[tp]:
                consumer.pause(tp)
                places.remove(tp)
        if not places:
            return oldest_ms
        try:
            found = await consumer.getmany(*places, timeout_ms=1_000, max_records=1)
        except (KafkaError, OSError):
            raise
        except Exception:
            return -inf  # a record that can't be unpacked: its lane will soon have passed it
        for tp, (first, *_) in found.items():
            oldest_ms = min(oldest_ms, -inf if type(first) is Unreadable else first.timestamp)
            consumer.pause(tp)
            places.remove(tp)
