"""How often an idle consumer asks Kafka, and how long a partition that was left out waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from time import perf_counter

from aiokafka import AIOKafkaProducer, TopicPartition

from runtime.edge.patient import WHOLE_WAIT_MS, PatientConsumer
from tests.support.fixtures import NewTopicName

SHORT_MS = 100


@contextlib.asynccontextmanager
async def reading(kafka: str, topic: str) -> AsyncIterator[PatientConsumer]:
    """A consumer of the topic's two partitions, from their beginning."""
    consumer = PatientConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=SHORT_MS)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0), TopicPartition(topic, 1)])
    try:
        await consumer.seek_to_beginning()
        yield consumer
    finally:
        await consumer.stop()


def requests(consumer: PatientConsumer) -> int:
    """How many it has made so far."""
    return sum(connection._correlation_id for connection in consumer._client._conns.values())


async def test_who_has_nothing_to_read_asks_twice_a_second(
    kafka: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(partitions=2)
    async with reading(kafka, topic) as consumer:
        waiting = asyncio.create_task(consumer.getmany())
        await asyncio.sleep(1)
        before, begin = requests(consumer), perf_counter()
        await asyncio.sleep(3)
        waited_ms = (perf_counter() - begin) * 1_000
        assert requests(consumer) - before <= waited_ms / WHOLE_WAIT_MS + 1
        waiting.cancel()


async def test_a_record_that_comes_meanwhile_is_not_kept_waiting(
    kafka: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(partitions=2)
    async with (
        reading(kafka, topic) as consumer,
        AIOKafkaProducer(bootstrap_servers=kafka) as producer,
    ):
        waits = []
        for n in range(10):
            waiting = asyncio.create_task(consumer.getmany())
            await asyncio.sleep(0.1)  # the fetch is with Kafka by now, and would stay there
            begin = perf_counter()
            await producer.send_and_wait(topic, b"x", partition=n % 2)
            assert await waiting
            waits.append(perf_counter() - begin)
        assert sorted(waits)[5] < WHOLE_WAIT_MS / 1000 / 2


async def test_a_partition_that_was_left_out_waits_no_longer_than_its_lane_says(
    kafka: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(partitions=2)
    async with (
        reading(kafka, topic) as consumer,
        AIOKafkaProducer(bootstrap_servers=kafka) as producer,
    ):
        waits = []
        for _ in range(8):
            for _ in range(2):
                await producer.send(topic, b"x", partition=0)
            await producer.flush()
            await asyncio.sleep(0.1)
            assert await consumer.getmany(max_records=1)
            consumer.fetch_ahead()  # one is left, and after a while the other is asked for alone
            await asyncio.sleep(0.15)
            assert await consumer.getmany()
            begin = perf_counter()
            await producer.send_and_wait(topic, b"x", partition=0)
            assert await consumer.getmany()
            waits.append(perf_counter() - begin)
        assert sorted(waits)[4] < 3 * SHORT_MS / 1000
