"""The whole worker on a real broker: what comes in by Kafka comes out by Kafka."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from runtime import topics
from runtime.worker import Worker
from schemas.base import Message
from schemas.wire import encode
from services.ledger.__main__ import build
from services.ledger.settings import Settings
from services.ledger.verify import verify
from tests.services.ledger.support import (
    GUEST,
    VENUE,
    approved,
    credited,
    issued,
    paid,
    reversed_,
)
from tests.support.databases import Database
from tests.support.servers import Server

KEY = f"{VENUE}:{GUEST}".encode()


@asynccontextmanager
async def working(kafka: str, dsn: str) -> AsyncIterator[Worker]:
    worker = build(Settings(kafka=kafka, postgres=SecretStr(dsn), session_timeout_ms=6000))
    task = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 15) == 0


async def send(kafka: str, topic: str, *messages: Message | bytes) -> None:
    """Across the partitions, so that an account's messages come in any order."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        for number, message in enumerate(messages):
            value = message if isinstance(message, bytes) else encode(message)
            await producer.send(topic, value, key=KEY, partition=number % 4)
        await producer.flush()


async def records(kafka: str, topic: str, until: int) -> list[Any]:
    """At least `until` records of a topic; what it holds after 30 s at the latest."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    found: list[Any] = []
    deadline = time.monotonic() + 90
    try:
        while len(found) < until and time.monotonic() < deadline:
            for some in (await consumer.getmany(timeout_ms=300)).values():
                found += some
    finally:
        await consumer.stop()
    return found


async def test_messages_in_any_order_with_repetitions_and_poison_leave_the_books_right(
    own_kafka: Server, postgres: Database
) -> None:
    kafka = own_kafka.address
    await topics.apply({"bootstrap_servers": kafka})
    sales = [approved(n, {"21": 250, "9": 100}) for n in range(20)]
    back = [reversed_(f"c{n}", n, {"9": 100}) for n in range(5)]
    wrong: list[Message | bytes] = [b"{", approved("odd", {"21": 250}, total=251)]
    gross = {"21": 20 * 250, "9": 20 * 100}
    await send(kafka, "pos.decisions", *back, *sales, *wrong, *sales, *back)
    await send(
        kafka,
        "invoices.events",
        paid("p1", "i1", 6_500),
        credited("n1", "i1", {"9": 500}, frees=False),
        issued("i1", gross),
        issued("i1", gross),
    )
    async with working(kafka, postgres.dsn("ledger")):
        entries = await records(kafka, "ledger.entries", until=28)
        dead = await records(kafka, "ledger.dead-letters", until=2)
        states = await records(kafka, "ledger.balances", until=1)
    by_id: dict[str, set[bytes]] = {}
    for record in entries:
        by_id.setdefault(dict(record.headers)["ce_id"].decode(), set()).add(record.value)
    assert len(by_id) == 28
    assert all(len(values) == 1 for values in by_id.values())
    assert {record.key for record in entries} == {KEY}
    assert len(dead) == 2
    last = json.loads(max(states, key=lambda r: r.offset).value)
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    report = await verify(connection)
    await connection.close()
    assert report.ok
    assert report.entries == {
        "charge": 20,
        "credit_note": 1,
        "invoice": 1,
        "payment": 1,
        "reversal": 5,
    }
    assert (last["version"], last["unbilled"], last["billed"]) == (28, 0, 0)
