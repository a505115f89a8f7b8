"""Two real workers, killed with -9 again and again while they post: what comes in by Kafka, in any
order, twice and with poison among it, comes out by Kafka."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from runtime import topics
from runtime.reading import Log
from runtime.settings import KafkaSettings
from schemas.base import Message
from schemas.wire import encode
from services.ledger.chain import ORIGINS, TOPICS
from services.ledger.report import Report
from services.ledger.verify import verify
from tests.services.ledger.support import VENUE, approved, credited, issued, paid, reversed_
from tests.services.ledger.test_chain import records
from tests.support.databases import Database
from tests.support.servers import Server

SALES = 1_000
KILLS = 3
GUESTS = 7
POISON = b"{"


class Workers:
    """Processes of the ledger's worker, as an operator starts them."""

    def __init__(self, kafka: str, dsn: str, folder: Path) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ONACCOUNT_")},
            "ONACCOUNT_KAFKA": kafka,
            "ONACCOUNT_POSTGRES_LEDGER": dsn,
            "ONACCOUNT_SESSION_TIMEOUT_MS": "6000",
            "ONACCOUNT_BATCH_RECORDS": "50",
        }
        self._log = folder / "workers.log"
        self._running: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.ledger", env=self._environment, stdout=log,
                stderr=log,
            )  # fmt: skip
        self._running.append(process)

    async def kill_one(self) -> None:
        """The one that has lived longest, without a word of warning."""
        process = self._running.pop(0)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def end(self) -> None:
        while self._running:
            await self.kill_one()


@asynccontextmanager
async def two_workers(kafka: str, dsn: str, folder: Path) -> AsyncIterator[Workers]:
    workers = Workers(kafka, dsn, folder)
    try:
        for _ in range(2):
            await workers.start()
        yield workers
    finally:
        await workers.end()


def story() -> tuple[list[Message], list[Message], int]:
    """pos.decisions, invoices.events, and how many entries they make."""
    sales: list[Message] = []
    bills: list[Message] = []
    for number in range(SALES):
        account = f"guest {number % GUESTS}"
        sales.append(approved(f"k{number}", {"21": 100 + number, "9": 50}, account=account))
        if number % 5 == 0:
            sales.append(reversed_(f"k{number}", f"k{number}", {"9": 50}, account=account))
        if number % 10 == 0:
            name, gross = f"k{number}", {"21": 100 + number}
            bills.append(issued(name, gross, account=account))
            bills.append(paid(name, name, 60, account=account))
            bills.append(credited(name, name, gross, frees=True, account=account))
    return sales, bills, len(sales) + len(bills)


async def send(kafka: str, topic: str, messages: list[Message], draw: random.Random) -> None:
    """Each twice, shuffled, over all partitions: an account's in any of them."""
    twice = [*messages, *messages]
    draw.shuffle(twice)
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5) as producer:
        for number, message in enumerate(twice):
            await producer.send(topic, encode(message), key=b"any", partition=number % 4)
            if number == len(messages):
                await producer.send(topic, POISON, key=b"any", partition=0)
        await producer.flush()


async def look(kafka: str, dsn: str) -> Report:
    connection = await asyncpg.connect(dsn)
    try:
        async with Log(KafkaSettings(kafka=kafka), TOPICS) as log:
            return await verify(connection, log=log, settled=timedelta(hours=1))
    finally:
        await connection.close()


async def all_of(kafka: str, topic: str) -> list[Any]:
    async with Log(KafkaSettings(kafka=kafka), [topic]) as log:
        spans = await log.spans(topic)
    return await records(kafka, topic, until=sum(s.end - s.begin for s in spans.values()))


async def test_two_workers_that_are_killed_again_and_again_post_everything_once(
    own_kafka: Server, postgres: Database, tmp_path: Path
) -> None:
    kafka, dsn, draw = own_kafka.address, postgres.dsn("ledger"), random.Random(VENUE)
    await topics.apply({"bootstrap_servers": kafka})
    sales, bills, expected = story()
    await send(kafka, "pos.decisions", sales, draw)
    await send(kafka, "invoices.events", bills, draw)
    connection = await asyncpg.connect(dsn)

    async def posted() -> int:
        return int(await connection.fetchval("SELECT count(*) FROM entry"))

    async with two_workers(kafka, dsn, tmp_path) as workers:
        async with asyncio.timeout(150):
            for kill in range(1, KILLS + 1):
                while await posted() < expected * kill // (KILLS + 2):
                    await asyncio.sleep(0.02)
                await workers.kill_one()
                await workers.start()
            # All is posted, and nothing is on its way to the topics any more.
            while True:
                report = await look(kafka, dsn)
                assert report.traced is not None
                done = sum(report.entries.values()) == expected and not report.traced.unpublished
                if done and report.traced.decisions == 2 * expected:
                    break
                await asyncio.sleep(0.3)
    await connection.close()
    assert report.findings == []
    assert report.entries["charge"] == SALES
    assert report.traced.unreadable == len(ORIGINS)
    said: dict[str, set[tuple[bytes, bytes]]] = {}
    for record in await all_of(kafka, "ledger.entries"):
        id_ = dict(record.headers)["ce_id"].decode()
        said.setdefault(id_, set()).add((record.key, record.value))
    assert len(said) == expected
    for ((key, value),) in said.values():  # whoever said it, in the same bytes
        assert key.decode() == f"{VENUE}:{json.loads(value)['account']}"
    dead = await all_of(kafka, "ledger.dead-letters")
    assert {(dict(r.headers)["onaccount-origin-topic"], r.value) for r in dead} == {
        (topic.encode(), POISON) for topic in ORIGINS
    }
