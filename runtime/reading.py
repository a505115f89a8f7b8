"""The topics as they stand, read from their beginnings in no group: to look, not to decide."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.settings import KafkaSettings
from schemas.malformed import Malformed, Undecodable
from schemas.wire import decode

ANSWER_S = 30.0  # for Kafka to give the next records
RECORDS_AT_ONCE = 1_000
LARGEST_FETCH = 3 * 1024 * 1024


class LogAway(Exception):
    """Kafka, or a topic of it, can't be read."""


class Span(NamedTuple):
    """What a partition holds: offsets from `begin` up to, but without, `end`."""

    begin: int
    end: int


Spans = Mapping[int, Span]
"""By partition."""

Gauge = Callable[[str, int, int], None]
"""Hears which topic is read, how many of its offsets are through, and of how many: a compacted one
has fewer records."""


def unheard(what: str, done: int, total: int) -> None:
    """A gauge for those who don't want to know."""


def message_in(topic: str, record: Any) -> object | None:
    """The message in a record; None where it holds none that can be read."""
    try:
        message: object = decode(topic, record.value)
    except Undecodable:
        return None
    return None if isinstance(message, Malformed) else message


def is_whole(spans: Spans) -> bool:
    """Whether a topic still holds everything from its first record on."""
    return not any(span.begin for span in spans.values())


def was_there(before: Spans, record: Any) -> bool:
    """Whether a record was there when these spans were noted."""
    span = before.get(record.partition)
    return span is not None and record.offset < span.end


class Log:
    """Use as `async with Log(settings, topics) as log`. Raises LogAway."""

    def __init__(self, kafka: KafkaSettings, topics: Collection[str]) -> None:
        self._address = kafka.kafka
        self._topics = set(topics)
        self._consumer = AIOKafkaConsumer(
            **kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LARGEST_FETCH,
            fetch_max_wait_ms=100,
        )

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._consumer.start()
        except (KafkaError, OSError, TimeoutError) as fault:
            await self._close()
            raise LogAway(f"Kafka does not answer at {self._address}") from fault
        try:
            await self._subscribe()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _subscribe(self) -> None:
        async with self._asking(*self._topics):
            # Asked for first: aiokafka waits long for a topic that does not exist.
            if missing := self._topics - await self._consumer.topics():
                raise LogAway(
                    f"Kafka at {self._address} has no topic {', '.join(sorted(missing))} that this "
                    "login may read"
                )
            self._consumer.subscribe(list(self._topics))
            while {one.topic for one in self._consumer.assignment()} != self._topics:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        self._consumer.pause(*self._consumer.assignment())

    async def _close(self) -> None:
        with contextlib.suppress(Exception):
            await self._consumer.stop()

    async def spans(self, topic: str) -> dict[int, Span]:
        """What each partition of a topic holds now."""
        partitions = [one for one in self._consumer.assignment() if one.topic == topic]
        async with self._asking(topic):
            begins = await self._consumer.beginning_offsets(partitions)
            ends = await self._consumer.end_offsets(partitions)
        return {one.partition: Span(begins[one], ends[one]) for one in sorted(partitions)}

    async def read(
        self, topic: str, spans: Spans, gauge: Gauge = unheard
    ) -> AsyncIterator[Sequence[Any]]:
        """The records within these spans, partition by partition, some at a time."""
        done, total = 0, sum(span.end - span.begin for span in spans.values())
        for number, span in spans.items():
            partition = TopicPartition(topic, number)
            self._consumer.seek(partition, span.begin)
            self._consumer.resume(partition)
            at = span.begin
            while at < span.end:
                records, at = await self._next(partition, span.end)
                yield [record for record in records if record.offset < span.end]
                gauge(topic, done + min(at, span.end) - span.begin, total)
            done += span.end - span.begin
            self._consumer.pause(partition)

    async def _next(self, partition: TopicPartition, end: int) -> tuple[Sequence[Any], int]:
        """The next records, and where they end."""
        async with self._asking(partition.topic):
            while True:
                found = await self._consumer.getmany(
                    partition, timeout_ms=500, max_records=RECORDS_AT_ONCE
                )
                # A compacted partition may end in offsets that no record has any more.
                at = await self._consumer.position(partition)
                if found or at >= end:
                    return found.get(partition, ()), at

    @contextlib.asynccontextmanager
    async def _asking(self, *topics: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(ANSWER_S):
                yield
        except (KafkaError, OSError, TimeoutError) as fault:
            raise LogAway(
                f"{', '.join(sorted(topics))} can't be read from Kafka at {self._address} "
                f"({type(fault).__name__})"
            ) from fault
