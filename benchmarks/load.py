"""Sales as tills would send them, made beforehand, and decisions counted afterwards.

Times are the broker's (LogAppendTime, milliseconds) where an answer is timed, so that reading the
answers takes nothing from the worker that is measured: they are read when all is over.
"""

import asyncio
import json
import random
import statistics
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.answers import Envelope, Headers, Outgoing
from runtime.edge.backoff import Backoff
from runtime.edge.publisher import Publisher
from schemas.topics import TOPICS

SALES = "pos.sales"
DECISIONS = "pos.decisions"
PARTITIONS = next(topic.partitions for topic in TOPICS if topic.name == DECISIONS)
ENVIRONMENT = 2890


class Sale(NamedTuple):
    """A sale.requested, ready to be sent."""

    sale_id: str
    key: bytes
    value: bytes


def accounts(count: int) -> list[str]:
    """Account numbers as they are made in series: environment and number."""
    return [f"{ENVIRONMENT}{number:05}" for number in range(1, count + 1)]


def sales(count: int, among: Sequence[str], *, seed: int = 2890) -> list[Sale]:
    """Ordinary sales: a drink at 21% and a snack at 9%, of 12.50 together."""
    draw = random.Random(seed)
    at = datetime.now(UTC).isoformat()
    lines = [
        {"description": "Bier", "quantity": "2", "unit_price": 250, "vat_rate": "21", "total": 500},
        {"description": "Bitterballen", "product": "0815", "quantity": "1", "unit_price": 750,
         "vat_rate": "9", "total": 750},
    ]  # fmt: skip
    made = []
    for _ in range(count):
        account = draw.choice(among)
        sale_id = str(uuid.uuid4())
        message = {
            "type": "sale.requested", "sale_id": sale_id, "environment": ENVIRONMENT,
            "terminal": "till-1", "account": account, "at": at, "currency": "EUR", "total": 1250,
            "lines": lines, "operator": "Sam",
        }  # fmt: skip
        key = f"{ENVIRONMENT}:{account}".encode()
        made.append(Sale(sale_id, key, json.dumps(message, separators=(",", ":")).encode()))
    return made


def producer(kafka: str, *, linger_ms: int = 0) -> AIOKafkaProducer:
    """A till's, or many tills': acks=all, as docs/tills.md asks for."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", linger_ms=linger_ms, max_batch_size=256 * 1024
    )


async def preload(kafka: str, some: Sequence[Sale]) -> None:
    """Put sales on the log before anything reads them."""
    async with producer(kafka, linger_ms=20) as out:
        for sale in some:
            await out.send(SALES, sale.value, key=sale.key, headers=_id(sale))
        await out.flush()


async def open_loop(
    kafka: str, some: Sequence[Sale], per_s: float, *, every_s: float = 0.002
) -> dict[str, float]:
    """Send at a steady rate whatever the answers do; gives when each was due (Unix seconds).

    What came due meanwhile goes together, in one request, as that of many tills would come to a
    broker side by side. A till's client that sends them one by one took a whole core at 5,000/s: it
    was the tills that were measured then, which in a venue do not stand on this machine.
    """
    publisher = Publisher({"bootstrap_servers": kafka}, Envelope("authorizer"), _no_backoff)
    try:
        await publisher.send([])  # connects
        begun, sent = time.time() + 0.05, 0
        while sent < len(some):
            await asyncio.sleep(every_s)
            until = min(len(some), max(0, int((time.time() - begun) * per_s)))
            await publisher.send(
                [Outgoing(SALES, s.key, s.value, _id(s)) for s in some[sent:until]]
            )
            sent = until
    finally:
        await publisher.close()
    return {sale.sale_id: begun + number / per_s for number, sale in enumerate(some)}


def _no_backoff() -> Backoff:
    return Backoff("benchmark", asyncio.Event(), {})


def _id(sale: Sale) -> Headers:
    return [("bench_id", sale.sale_id.encode())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """When a sale's first answer stood on the log (Unix seconds), how many it got, and whether one
    said something else than the first."""

    at: float
    times: int
    approved: bool
    said: int
    differing: bool


class Decisions:
    """What is on pos.decisions from a moment on."""

    def __init__(self, kafka: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._from: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> "Decisions":
        await self._consumer.start()
        self._consumer.assign([TopicPartition(DECISIONS, number) for number in range(PARTITIONS)])
        self._from = await self._ends()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def _ends(self) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(
            self._consumer.assignment()
        )
        return ends

    async def wait_for(self, count: int, *, within_s: float) -> None:
        """Until so many stand there; looks only at the log's ends. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while sum((await self._ends()).values()) - sum(self._from.values()) < count:
                await asyncio.sleep(0.1)

    async def read(self) -> dict[str, Decided]:
        """sale_id -> its decision, of all that came since the beginning."""
        found: dict[str, Decided] = {}
        for place, end in (await self._ends()).items():
            self._consumer.seek(place, self._from[place])
            while await self._consumer.position(place) < end:
                for records in (await self._consumer.getmany(place, timeout_ms=500)).values():
                    for record in records:
                        ce_id = dict(record.headers)["ce_id"].decode()
                        sale_id = ce_id.rsplit("/", 1)[1]
                        before = found.get(sale_id)
                        found[sale_id] = Decided(
                            at=before.at if before else record.timestamp / 1000,
                            times=before.times + 1 if before else 1,
                            approved=b'"sale.approved"' in record.value[:40],
                            said=before.said if before else hash(record.value),
                            differing=before is not None
                            and (before.differing or before.said != hash(record.value)),
                        )
        return found


async def tills_p99_ms(kafka: str, known: Sequence[str], *, per_s: float, count: int) -> float:
    """p99 in milliseconds, from when a sale was due to its decision on the log; a steady rate."""
    sent = sales(count, known, seed=time.monotonic_ns())
    async with Decisions(kafka) as decisions:
        due = await open_loop(kafka, sent, per_s=per_s)
        await decisions.wait_for(len(sent), within_s=300)
        found = await decisions.read()
    took = sorted((found[sale].at - moment) * 1000 for sale, moment in due.items())
    return statistics.quantiles(took, n=100, method="inclusive")[98]
