"""The consumer that never returns with nothing: how it waits where nothing comes."""

import asyncio
import contextlib

import pytest
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from runtime.edge.patient import POLL_MS, SILENCE_WAIT_MS, GaveUp, PatientConsumer
from runtime.status import Status
from tests.runtime.rig import until
from tests.support.fixtures import NewTopicName

WAIT_MS = 50


def kept_ms(consumer: PatientConsumer) -> int:
    """How long Kafka may keep the next fetch that finds nothing."""
    return int(consumer._fetcher._fetch_max_wait_ms)


async def test_in_a_silence_kafka_is_asked_seldom_and_what_comes_is_given_all_the_same(
    kafka: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(partitions=3)
    consumer = PatientConsumer(
        topic,
        bootstrap_servers=kafka,
        group_id=topic,
        fetch_max_wait_ms=WAIT_MS,
        auto_offset_reset="earliest",
    )
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer, consumer:
        for partition in range(3):
            said = str(partition).encode()
            taken = asyncio.create_task(consumer.getmany())
            await until(lambda: kept_ms(consumer) == SILENCE_WAIT_MS, "it is silent", 20)
            await producer.send_and_wait(topic, said, partition=partition)
            given = await asyncio.wait_for(taken, 20)
            assert [record.value for records in given.values() for record in records] == [said]
            assert kept_ms(consumer) == WAIT_MS


async def test_a_lane_that_waits_longer_by_itself_is_not_hurried(
    kafka: str, new_topic: NewTopicName
) -> None:
    consumer = PatientConsumer(
        await new_topic(), bootstrap_servers=kafka, fetch_max_wait_ms=2 * SILENCE_WAIT_MS
    )
    async with consumer:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(consumer.getmany(), 2.5 * POLL_MS / 1000)
        assert kept_ms(consumer) == 2 * SILENCE_WAIT_MS


def test_a_connection_that_is_closed_before_aiokafka_hears_of_it_is_a_broken_one(
    kafka: str,
) -> None:
    """uvloop, which workers run on, raises RuntimeError for what is written to it."""

    async def written() -> None:
        host, port = kafka.split(":")
        connection = await create_conn(host, int(port))
        connection._read_task.cancel()  # it would hear of it, a turn of the loop later
        connection._writer.transport.abort()
        await asyncio.sleep(0.01)
        with pytest.raises(KafkaConnectionError):
            await connection.send(ApiVersionRequest())
        assert not connection.connected()

    uvloop.run(written())


@pytest.mark.parametrize("what", ["coordinates", "fetches"])
async def test_a_consumer_for_which_aiokafka_does_nothing_any_more_ends_its_worker(
    kafka: str, new_topic: NewTopicName, what: str
) -> None:
    """Method: what works for it meets an error that aiokafka does not know, as one of uvloop's was;
    the worker only said for ever that it waits, or nothing at all."""
    topic, status = await new_topic(), Status()
    consumer = PatientConsumer(topic, bootstrap_servers=kafka, group_id=topic, status=status)

    def lost(*_: object) -> None:
        raise RuntimeError("the handler is closed")

    await consumer.start()
    try:
        if what == "coordinates":
            consumer._coordinator.ensure_coordinator_known = lost
            consumer._coordinator.request_rejoin()
        else:
            consumer._fetcher._get_actions_per_node = lost
        with pytest.raises(GaveUp):
            await asyncio.wait_for(consumer.getmany(), 20)
        assert status.fatal is not None
        assert status.fatal.startswith("reads nothing any more: KafkaError")
    finally:
        with contextlib.suppress(KafkaError):
            await consumer.stop()
