"""Publishes answers with acks=all and awaits every one, for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from runtime.answers import Answer, Envelope, Outgoing
from runtime.breath import Breath
from runtime.edge.backoff import Backoff
from runtime.edge.partition import hashed
from runtime.metrics import ANSWERS

MAX_RECORD_BYTES = 2 * 1024 * 1024 + 64 * 1024
"""Answers of 2 MiB (schemas/topics.py), and their headers."""
DELIVERY_TIMEOUT_MS = 10_000
A_BREATH = 100
"""Records that are made ready in one go."""
Acks = list[asyncio.Future[Any]]
START_S = 15.0
STOP_S = 1.0


def new_producer(client: dict[str, Any], max_batch_bytes: int = 256 * 1024) -> AIOKafkaProducer:
    """An idempotent producer that waits for all in-sync replicas."""
    return AIOKafkaProducer(
        **client,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_RECORD_BYTES,
        max_batch_size=max_batch_bytes,
        linger_ms=0,
        request_timeout_ms=DELIVERY_TIMEOUT_MS,
        retry_backoff_ms=50,
    )


class Publisher:
    """One producer at a time.

    After a failed delivery aiokafka's idempotent producer can answer OUT_OF_ORDER_SEQUENCE for
    ever (aiokafka#1017): it is closed, and a new one publishes all records of the call again.
    """

    def __init__(
        self,
        client: dict[str, Any],
        envelope: Envelope,
        backoff: Callable[[], Backoff],
        make: Callable[[dict[str, Any]], AIOKafkaProducer] = new_producer,
    ) -> None:
        self._client = client
        self._envelope = envelope
        self._new_backoff = backoff
        self._make = make
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Lock()
        self._under_way: dict[int, tuple[AIOKafkaProducer, Acks]] = {}  # by the list's id

    async def publish(self, answers: Sequence[Answer]) -> None:
        """Return when every answer is acknowledged. Raises only Stopping."""
        if not answers:
            return
        breath, sealed = Breath(), []
        for start in range(0, len(answers), A_BREATH):
            sealed += self._envelope.seal(answers[start : start + A_BREATH])
            await breath.take()
        await self.send(sealed)
        for kind, count in Counter([answer.type for answer in answers]).items():
            ANSWERS.labels(kind).inc(count)

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is acknowledged; until then they are sent again and again.

        A record that the broker refuses (too large, no such topic, not allowed) is a fault of
        the surroundings too: it is waited out, loudly, and nothing is lost. Several tasks may
        send at once; each waits for itself.
        """
        backoff: Backoff | None = None
        while True:
            producer = self._producer
            acks: Acks = []
            try:
                producer = await self._started()
                self._under_way[id(acks)] = producer, acks
                try:
                    await _deliver(producer, records, acks)
                finally:
                    del self._under_way[id(acks)]
            except Exception as error:
                await self._discard(producer)
                backoff = backoff or self._new_backoff()
                try:
                    await backoff.pause(error)
                except BaseException:
                    backoff.over()
                    raise
            else:
                if backoff is not None:
                    backoff.over()
                return

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = self._make(self._client)
                try:
                    await asyncio.wait_for(producer.start(), START_S)
                except BaseException:
                    await _stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer | None) -> None:
        """Close this producer; another one that was started meanwhile stays.

        Whoever sends by it beside the one that failed is told once it is closed, and sends again:
        aiokafka leaves these acks open for ever.
        """
        if producer is not None:
            if self._producer is producer:
                self._producer = None
            async with self._stopping:  # who comes second must not go on while the first stops it
                await _stop(producer)
            for whose, acks in self._under_way.values():
                for ack in acks if whose is producer else ():
                    if not ack.done():
                        ack.set_exception(ProducerClosed())

    async def close(self) -> None:
        await self._discard(self._producer)


async def _deliver(producer: AIOKafkaProducer, records: Sequence[Outgoing], acks: Acks) -> None:
    """Hand the records over in batches of our own making, and await each batch's ack (`acks`).

    The producer's own `send` makes a future for every record, which costs three times as much
    (docs/performance.md). A record goes where Java's partitioner would put it; a batch that is
    full goes at once, and waits there until the one before it is through.
    """
    breath = Breath()
    counts: dict[str, int] = {}
    batches: dict[tuple[str, int], Any] = {}
    try:
        for start in range(0, len(records), A_BREATH):
            some = records[start : start + A_BREATH]
            hashes = hashed([record.key for record in some])
            for (topic, key, value, headers), number in zip(some, hashes, strict=True):
                count = counts.get(topic)
                if count is None:
                    count = counts[topic] = len(await producer.partitions_for(topic))
                place = topic, number % count
                batch = batches.get(place)
                if batch is not None:
                    added = batch.append(timestamp=None, key=key, value=value, headers=headers)
                    if added is not None:
                        continue
                    acks.append(await producer.send_batch(batch, topic, partition=place[1]))
                # A batch takes its first record however large it is.
                batch = batches[place] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
            await breath.take()
        for (topic, number), batch in batches.items():
            acks.append(await producer.send_batch(batch, topic, partition=number))
        await asyncio.gather(*acks)
    except BaseException:
        for ack in acks:
            # What becomes of these is of no interest any more, and no reason for a log line.
            ack.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise


async def _stop(producer: AIOKafkaProducer) -> None:
    """Close it; what it still carries is sent again anyway, and must not arrive after that.

    Its own `stop` waits for deliveries that may never come, and if it is broken off it leaves
    its sender at work behind our back: then that is ended too.
    """
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.stop(), STOP_S)
        return
    with contextlib.suppress(Exception):
        sender = producer._sender
        if sender is not None and sender.sender_task is not None:
            sender.sender_task.cancel()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.client.close(), STOP_S)
