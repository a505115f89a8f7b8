"""A broker of the stack, by what it leaves on the disk."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from cli.stack import kafka
from runtime import topics
from tests.support.servers import Server, new_kafka


async def test_what_was_written_is_on_the_disk_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself Kafka syncs a segment when it is full, and the kernel writes half a minute's
    records all at once, for which every till waits."""
    soon = "log.initial.task.delay.ms=0\n"  # and not half a minute after it has started
    told = "log.flush.offset.checkpoint.interval.ms=100\n"  # what is synced already
    monkeypatch.setattr(kafka, "PROPERTIES", kafka.PROPERTIES + soon + told)
    server = Server(node := new_kafka(tmp_path))
    await server.start()
    try:
        await topics.apply({"bootstrap_servers": server.address})
        async with AIOKafkaProducer(bootstrap_servers=server.address, acks="all") as producer:
            written = [
                await producer.send_and_wait("pos.sales", b"a sale", partition=number)
                for number in (0, 1, 0)
            ]
        synced = node.folder / "data" / "recovery-point-offset-checkpoint"
        ends = {"pos.sales 0 2", "pos.sales 1 1"}
        assert [one.offset for one in written] == [0, 0, 1]
        async with asyncio.timeout(10):
            while not ends <= set(synced.read_text().splitlines()):
                await asyncio.sleep(0.1)
    finally:
        await server.stop()
