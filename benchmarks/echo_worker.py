"""The floor of latency: a batch subscriber that reads no record and answers each the same.

What FastStream, aiokafka and the broker cost by themselves, in the shape that onaccount's edge
has: the same consumer and producer settings, batches, all answers of a batch awaited with
acks=all, then its offsets committed. No decoding, no database, no decision.

    ONACCOUNT_KAFKA=... python -m benchmarks.echo_worker

A record's header `bench_id` comes back in its answer's `ce_id`, so that the two can be matched.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer, TopicPartition
from faststream import AckPolicy, FastStream

from runtime.edge.publisher import new_producer
from runtime.edge.subscribe import EdgeBroker, as_it_is, whole_batch

DECISION = b'{"type":"sale.approved","sale_id":"' + b"0" * 36 + b'","echo":"' + b"." * 600 + b'"}'


async def echo(producer: AIOKafkaProducer, consumer: Any, records: Any) -> None:
    """Answer a batch, wait for all acknowledgements, commit."""
    acks = []
    marks: dict[TopicPartition, int] = {}
    for record in records:
        marks[TopicPartition(record.topic, record.partition)] = record.offset + 1
        headers = [
            ("ce_id", b"sale.approved/2890/" + dict(record.headers).get("bench_id", b"")),
            ("ce_type", b"sale.approved"),
            ("ce_source", b"/onaccount/echo"),
        ]
        acks.append(await producer.send("pos.decisions", DECISION, key=record.key, headers=headers))
    await asyncio.gather(*acks)
    await consumer.commit(marks)


def build(kafka: str, *, max_records: int = 500) -> FastStream:
    """The edge's subscriber, with `echo` in the place of all that the edge does."""
    broker = EdgeBroker(
        kafka, consumer_only=True, logger=None, apply_types=False, metadata_max_age_ms=30_000
    )
    made: list[AIOKafkaProducer] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        made.append(new_producer({"bootstrap_servers": kafka}))
        await made[0].start()
        yield
        await made[0].stop()

    subscriber = broker.subscriber(
        "pos.sales",
        batch=True,
        group_id="echo",
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        no_reply=True,
        parser=whole_batch,
        decoder=as_it_is,
        max_records=max_records,
        max_poll_records=max_records,
        batch_timeout_ms=10,
        fetch_max_wait_ms=500,
        fetch_min_bytes=1,
        max_partition_fetch_bytes=8 * 1024 * 1024,
        isolation_level="read_committed",
    )

    async def take(records: Any) -> None:
        await echo(made[0], subscriber.consumer, records)

    subscriber(take)
    return FastStream(broker, lifespan=lifespan, logger=None)


if __name__ == "__main__":
    uvloop.run(build(os.environ["ONACCOUNT_KAFKA"]).run())
