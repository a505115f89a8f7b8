"""A message as it goes on the wire: encoded, and held against the contract before it is sent; and
what sends it."""

from __future__ import annotations

import asyncio
import json

from aiokafka import AIOKafkaProducer

from cli.amounts import Misuse
from cli.messages import Json, topic_of
from runtime.settings import KafkaSettings
from schemas.malformed import Malformed, Undecodable
from schemas.topics import TOPIC
from schemas.wire import decode

LARGEST_RECORD = 3 * 1024 * 1024  # answers, dead letters and retries have up to 2 MiB, and headers
STOP_S = 3.0


def new_producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    """What sends, not started yet."""
    return AIOKafkaProducer(
        **kafka.client(),
        acks="all",
        enable_idempotence=True,
        max_request_size=LARGEST_RECORD,
        request_timeout_ms=15_000,
    )


async def stop(producer: AIOKafkaProducer) -> None:
    """Stop it. It would wait without end for what Kafka does not take: whoever sent that was told
    so."""
    try:
        async with asyncio.timeout(STOP_S):
            await producer.stop()
    except TimeoutError:
        await producer.client.close()


def encode(message: Json) -> bytes:
    """A message's bytes: compact JSON in UTF-8."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def on_the_wire(message: Json) -> tuple[str, bytes]:
    """Its topic and its bytes; raises Misuse for what breaks the contract, and so can't be sent."""
    topic = topic_of(message["type"])
    try:
        value = encode(message)
        found = decode(topic, value)
    except UnicodeEncodeError as fault:  # typed in another encoding than the terminal's
        what = fault.object[max(fault.start - 20, 0) : fault.end]
        raise Misuse(f"This can't be sent: {what!r} is no text in UTF-8.") from None
    except Undecodable as fault:  # without its ids nobody could even be answered
        raise Misuse(
            f"This can't be sent: {str(fault).replace('_', ' ')}. Ids are UUIDs, and have to "
            "be whole; an environment is a number from 1 to 2147483647."
        ) from None
    if isinstance(found, Malformed) and len(value) > (most := TOPIC[topic].max_value_bytes):
        raise Misuse(
            f"This can't be sent: the message has {len(value):,} bytes, and {topic} takes at "
            f"most {most:,}; do it in several."
        )
    if isinstance(found, Malformed):
        raise Misuse(f"This can't be sent: {found.field.replace('_', ' ')} {found.message}.")
    return topic, value
