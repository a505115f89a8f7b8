"""Publishes answers with acks=all and awaits every one, for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from runtime.answers import Answer, Envelope, Outgoing
from runtime.edge.backoff import Backoff
from runtime.metrics import ANSWERS

MAX_RECORD_BYTES = 2 * 1024 * 1024 + 64 * 1024  # contract part 1: answers 2 MiB, and their headers
DELIVERY_TIMEOUT_MS = 10_000


def new_producer(client: dict[str, Any]) -> AIOKafkaProducer:
    """An idempotent producer that waits for all in-sync replicas."""
    return AIOKafkaProducer(
        **client,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_RECORD_BYTES,
        max_batch_size=256 * 1024,
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
        backoff: Backoff,
        make: Callable[[dict[str, Any]], AIOKafkaProducer] = new_producer,
    ) -> None:
        self._client = client
        self._envelope = envelope
        self._backoff = backoff
        self._make = make
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, answers: Sequence[Answer]) -> None:
        """Return when every answer is acknowledged. Raises only Stopping."""
        if not answers:
            return
        await self.send(self._envelope.seal(answers))
        for answer in answers:
            ANSWERS.labels(answer.type).inc()

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is acknowledged; until then they are sent again and again.

        A record that the broker refuses (too large, no such topic, not allowed) is a fault of
        the surroundings too: it is waited out, loudly, and nothing is lost.
        """
        while True:
            try:
                producer = await self._started()
                acks = [
                    await producer.send(r.topic, r.value, key=r.key, headers=r.headers)
                    for r in records
                ]
                await asyncio.gather(*acks)
            except Exception as error:
                await self._discard()
                await self._backoff.pause(error)
            else:
                self._backoff.over()
                return

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._make(self._client)
            try:
                await producer.start()
            except BaseException:
                await _stop(producer)
                raise
            self._producer = producer
        return self._producer

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def close(self) -> None:
        await self._discard()


async def _stop(producer: AIOKafkaProducer) -> None:
    # It may wait for deliveries that never come; what they carried is sent again anyway.
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.stop(), 1)
