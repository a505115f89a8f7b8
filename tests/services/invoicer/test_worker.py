"""The whole worker on a real broker, database and mail server: from decisions to the mail."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from runtime import topics
from runtime.worker import Worker
from schemas.wire import encode
from services.invoicer.__main__ import build
from services.invoicer.settings import Settings
from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    account,
    asked,
    customer,
    environment,
    new_id,
    nth,
    reversal,
    sale,
)
from tests.support.databases import Database
from tests.support.mails import MailServer
from tests.support.servers import Server


@asynccontextmanager
async def working(kafka: str, dsn: str, smtp: str) -> AsyncIterator[Worker]:
    worker = build(
        Settings(kafka=kafka, postgres=SecretStr(dsn), smtp=smtp, session_timeout_ms=6000)
    )
    task = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 15) == 0


async def send(kafka: str, topic: str, *messages: Any) -> None:
    """Across the partitions, so that messages come in any order."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        sending = [
            await producer.send(topic, encode(message), key=b"%d" % number, partition=number % 4)
            for number, message in enumerate(messages)
        ]
        await asyncio.gather(*sending)


async def events(kafka: str, topic: str, kind: str, until: int) -> list[dict[str, Any]]:
    """Events of a kind, told apart by their ids; what there is after 40 s at the latest."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    found: dict[bytes, dict[str, Any]] = {}
    deadline = time.monotonic() + 90
    try:
        while len(found) < until and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=300)).values():
                for record in records:
                    headers = dict(record.headers)
                    if headers["ce_type"].decode() == kind:
                        found[headers["ce_id"]] = json.loads(record.value)
    finally:
        await consumer.stop()
    return list(found.values())


async def test_a_run_bills_every_decision_that_was_there_when_it_was_asked(
    own_kafka: Server, postgres: Database, smtp: MailServer
) -> None:
    kafka = own_kafka.address
    await topics.apply({"bootstrap_servers": kafka})
    names = [f"A{i}" for i in range(6)]
    ids = [new_id() for _ in names]
    sales = [sale(name, BEER, LUNCH) for name in names for _ in range(20)]
    gone = [reversal(one) for one in sales[::10]]
    await send(kafka, "invoices.commands", asked())  # before anything else is even read
    await send(kafka, "pos.decisions", *gone, *sales, *sales[:30], *gone)
    await send(
        kafka,
        "registry.state",
        environment(),
        *(customer(one) for one in ids),
        *(account(name, one) for name, one in zip(names, ids, strict=True)),
    )
    async with working(kafka, postgres.dsn("invoicer"), smtp.address):
        (completed,) = await events(kafka, "invoices.events", "run.completed", 1)
        sent = await events(kafka, "invoices.events", "invoice.sent", 6)
        issued = await events(kafka, "invoices.events", "invoice.issued", 6)
        states = await events(kafka, "invoices.state", "invoice.state", 12)
    assert (completed["environment"], completed["issued"], completed["sent"]) == (ENV, 6, 6)
    assert completed["total"] == 6 * 18 * 1950
    assert sorted(i["number"] for i in issued) == [nth(n) for n in range(1, 7)]
    # One may come twice, with its id, where PostgreSQL was slow to take note that it went.
    assert len(sent) == len({mail["Message-ID"] for mail in smtp.mails}) == 6
    assert {s["status"] for s in states} >= {"issued", "sent"}
