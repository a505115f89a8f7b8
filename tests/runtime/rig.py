"""A rig for the edge's tests: real broker, real database, the toy service as workers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from pydantic import SecretStr

from runtime import topics
from runtime.worker import Worker
from schemas.topics import TOPIC
from tests.runtime import toy

ROOT = Path(__file__).resolve().parents[2]
NOW = "2026-11-23T21:00:00+00:00"


def sale(
    account: str, *, total: int = 500, sale_id: str | None = None, note: str | None = None
) -> dict[str, Any]:
    """A sale.requested of one line."""
    found: dict[str, Any] = {
        "type": "sale.requested", "sale_id": sale_id or str(uuid.uuid4()), "environment": 2890,
        "terminal": "till-1", "account": account, "at": NOW, "currency": "EUR", "total": total,
        "lines": [{"description": "Bier", "quantity": "1", "unit_price": total, "vat_rate": "21",
                   "total": total}],
    }  # fmt: skip
    if note is not None:
        found["note"] = note
    return found


@dataclass
class Rig:
    """One broker and one database; accounts are named by the test, so that tests share them."""

    kafka: str
    admin: str
    dsn: str
    service: str = "ledger"
    settings: dict[str, Any] = field(default_factory=dict)
    read: dict[str, list[Any]] = field(default_factory=dict, repr=False)

    async def prepare(self) -> None:
        await topics.apply({"bootstrap_servers": self.kafka})
        connection = await asyncpg.connect(self.admin)
        await connection.execute(toy.TABLES.format(service=self.service))
        await connection.execute(f"SET search_path TO {self.service}")
        for tp, end in (await self._begin_at_the_end()).items():
            await connection.execute("INSERT INTO positions VALUES ($1, $2, $3)", *tp, end)
        await connection.close()

    async def _begin_at_the_end(self) -> dict[Any, int]:
        """What other tests have sent is not for this group."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, group_id=self.service, enable_auto_commit=False
        )
        async with consumer:
            places = [TopicPartition("pos.sales", n) for n in range(TOPIC["pos.sales"].partitions)]
            consumer.assign(places)
            ends = {tp: end for tp, end in (await consumer.end_offsets(places)).items() if end}
            if ends:
                await consumer.commit(ends)
        return ends

    def build(self, it: toy.Toy | None = None, **more: Any) -> Worker:
        settings = toy.settings_of(self.service)(
            kafka=self.kafka,
            postgres=SecretStr(self.dsn),
            **{"session_timeout_ms": 2500, **self.settings},
        )
        return toy.build(settings, it, **more)

    @contextlib.asynccontextmanager
    async def worker(self, it: toy.Toy | None = None, **more: Any) -> AsyncIterator[Worker]:
        """A worker in this process, serving."""
        worker = self.build(it, **more)
        task = asyncio.create_task(worker.serve())
        try:
            await until(lambda: worker.status.started or task.done(), "the worker serves")
            yield worker
        finally:
            worker.stopping.set()
            await asyncio.wait_for(task, 15)

    @contextlib.contextmanager
    def process(
        self, module: str = "tests.runtime.toy", **environment: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A worker in a process of its own, to be killed or stopped."""
        log = ROOT / "var" / "test" / f"toy-{uuid.uuid4().hex[:8]}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "ONACCOUNT_KAFKA": self.kafka,
                    "ONACCOUNT_TOY_SERVICE": self.service,
                    f"ONACCOUNT_POSTGRES_{self.service.upper()}": self.dsn,
                    "ONACCOUNT_SESSION_TIMEOUT_MS": "2500",
                    **environment,
                },
            )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
            log.unlink(missing_ok=True)

    async def send(
        self,
        *values: dict[str, Any] | bytes,
        topic: str = "pos.sales",
        key: bytes | None = b"2890:1",
        partition: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Produce in order, in one partition unless the key says otherwise."""
        async with AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all") as producer:
            for value in values:
                raw = value if isinstance(value, bytes) else json.dumps(value).encode()
                await producer.send(topic, raw, key=key, partition=partition, headers=headers or [])
            await producer.flush()

    @contextlib.asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """A till that stays on the line."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all")
        consumer = AIOKafkaConsumer(
            toy.DECISIONS, bootstrap_servers=self.kafka, fetch_max_wait_ms=20
        )
        async with producer, consumer:
            await consumer.seek_to_end()
            for tp in consumer.assignment():
                await consumer.position(tp)
            yield Wire(producer, consumer)

    async def records(self, topic: str) -> list[Any]:
        """All records of a topic, to its present end; what was read before is kept."""
        found = self.read.setdefault(topic, [])
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, enable_auto_commit=False, fetch_max_wait_ms=20
        )
        async with consumer:
            places = [TopicPartition(topic, n) for n in range(TOPIC[topic].partitions)]
            consumer.assign(places)
            begun = dict.fromkeys(places, 0)
            begun |= {TopicPartition(r.topic, r.partition): r.offset + 1 for r in found}
            ends = await consumer.end_offsets(places)
            if any(ends[tp] < at for tp, at in begun.items()):
                found.clear()  # the log is another one
                begun = dict.fromkeys(places, 0)
            for tp, at in begun.items():
                consumer.seek(tp, at)
            while any(end > begun[tp] for tp, end in ends.items()):
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    found += records
                    begun[tp] = records[-1].offset + 1
        return list(found)

    async def answers(self, account: str) -> dict[str, list[Any]]:
        """The decisions of an account's sales: sale_id -> records, oldest first."""
        found: dict[str, list[Any]] = {}
        for record in await self.records(toy.DECISIONS):
            body = json.loads(record.value)
            if body["account"] == account:
                found.setdefault(body["sale_id"], []).append(record)
        return found

    async def counted(self, account: str) -> tuple[int, int]:
        """How many sales of an account were counted, and their total."""
        connection = await asyncpg.connect(self.admin)
        try:
            row = await connection.fetchrow(
                f"SELECT sales, total FROM {self.service}.toy_account WHERE account = $1", account
            )
            return (row["sales"], row["total"]) if row else (0, 0)
        finally:
            await connection.close()

    async def all_answered(
        self, account: str, sale_ids: Iterable[str], within_s: float = 90
    ) -> dict[str, list[Any]]:
        """Wait until each of these sales has an answer; gives all answers of the account."""
        wanted = set(sale_ids)
        deadline = time.monotonic() + within_s
        while True:
            found = await self.answers(account)
            if wanted <= found.keys():
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(wanted - found.keys())} of {len(wanted)} not answered")
            await asyncio.sleep(0.1)


class Wire:
    """Sends sales and hears their answers, from where it was opened on."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._producer = producer
        self._consumer = consumer
        self.heard: dict[str, int] = {}

    async def send(self, *values: dict[str, Any]) -> None:
        acks = [
            await self._producer.send("pos.sales", json.dumps(v).encode(), key=b"2890:1")
            for v in values
        ]
        await asyncio.gather(*acks)

    async def send_anywhere(self, *values: dict[str, Any]) -> None:
        """Without a key: spread over the partitions."""
        raw = [json.dumps(v).encode() for v in values]
        await asyncio.gather(*[await self._producer.send("pos.sales", r) for r in raw])

    async def answered(self, sale_ids: Iterable[str], within_s: float = 90) -> None:
        """Wait until each of these has an answer."""
        wanted = set(sale_ids)
        deadline = time.monotonic() + within_s
        while not wanted <= self.heard.keys():
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(wanted - self.heard.keys())} not answered")
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    sale_id = json.loads(record.value)["sale_id"]
                    self.heard[sale_id] = self.heard.get(sale_id, 0) + 1


async def until(what: Callable[[], Any], said: str, within_s: float = 60) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within_s
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {said}")
        await asyncio.sleep(0.02)


def once_each(found: dict[str, list[Any]]) -> None:
    """Every repetition of an answer is the same, byte for byte: key, value, ce_id, ce_time."""
    for records in found.values():
        seen = {
            (r.key, r.value, dict(r.headers)["ce_id"], dict(r.headers)["ce_time"]) for r in records
        }
        assert len(seen) == 1, seen
