"""Bounded by count and by bytes: great records, great batches, many answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from runtime.answers import Answer, Envelope
from runtime.deadletters import dead_letter
from runtime.edge.backoff import Backoff
from runtime.edge.batch import Batch, Opener
from runtime.edge.lane import EdgeLane
from runtime.edge.publisher import Publisher, new_producer
from runtime.transaction import Tx
from schemas.topics import TOPIC
from tests.runtime import toy
from tests.runtime.rig import NOW, Rig, sale


async def test_a_batch_is_bounded_by_records_and_by_bytes(rig: Rig) -> None:
    """A hundred records of 200 KB: no batch holds more than the fetch settings allow."""
    account = "bytes"
    sizes: list[tuple[int, int]] = []

    class Weighing(EdgeLane):
        async def take(self, records: Sequence[Any], consumer: Any) -> None:
            sizes.append((len(records), sum(len(r.value) for r in records)))
            await super().take(records, consumer)

    rig = Rig(rig.kafka, rig.admin, rig.dsn, settings={"fetch_bytes": 1 << 20, "batch_records": 50})
    sales = [sale(account) | {"filler": "x" * 200_000} for _ in range(60)]
    async with AIOKafkaProducer(bootstrap_servers=rig.kafka, max_batch_size=1 << 20) as producer:
        for one in sales:
            await producer.send("pos.sales", json.dumps(one).encode(), partition=3)
    small = [sale(account) for _ in range(300)]
    await rig.send(*small, partition=4)
    async with rig.worker(lane_type=Weighing):
        await rig.all_answered(account, [s["sale_id"] for s in (*sales, *small)])
    assert max(count for count, _ in sizes) <= 50
    # a fetch's bytes, of each of the partitions, and the one record that may go over it
    assert max(size for _, size in sizes) <= 4 * (1 << 20) + 300_000


async def test_a_lane_may_take_several_times_as_many_records_at_once(rig: Rig) -> None:
    """Of a lane whose records are only noted: three times twenty, and no more than that."""
    account = "times"
    sizes: list[int] = []

    class Counting(EdgeLane):
        async def take(self, records: Sequence[Any], consumer: Any) -> None:
            sizes.append(len(records))
            await super().take(records, consumer)

    rig = Rig(rig.kafka, rig.admin, rig.dsn, settings={"batch_records": 20})
    sales = [sale(account) for _ in range(300)]
    await rig.send(*sales, partition=4)
    async with rig.worker(lane_type=Counting, times=3):
        await rig.all_answered(account, [s["sale_id"] for s in sales])
    assert 20 < max(sizes) <= 60


async def test_several_transactions_records_are_in_hand_and_the_next_ones_decoded(
    rig: Rig,
) -> None:
    """Sixty at once, twenty a transaction; while these are held, the next are decoded. Health and
    metrics tell of each transaction: four slow ones are no lane that hangs."""
    account = "in hand"
    since: list[float] = []
    taken: list[int] = []
    decided: list[int] = []
    decoded: list[int] = []
    held: asyncio.Queue[None] = asyncio.Queue()
    go_on: asyncio.Queue[None] = asyncio.Queue()

    class Noting(Opener):
        def open(self, records: Sequence[Any]) -> Batch:
            decoded.append(len(records))
            return super().open(records)

    class Counting(EdgeLane):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self._opener = Noting(self.group, given["routes"])

        async def take(self, records: Sequence[Any], consumer: Any) -> None:
            taken.append(len(records))
            await super().take(records, consumer)

        async def _take(self, records: Sequence[Any], *more: Any) -> None:
            decided.append(len(records))
            since.append(self._status.in_hand[self.lane.name])
            await super()._take(records, *more)

    def told(what: str) -> float:
        name = f"onaccount_batch_{what}_count"
        return REGISTRY.get_sample_value(name, {"lane": "sales"}) or 0.0

    async def pause(tx: Tx) -> None:
        held.put_nowait(None)
        await go_on.get()

    rig = Rig(rig.kafka, rig.admin, rig.dsn, settings={"batch_records": 20})
    it = toy.Toy()
    it.pause = pause
    first, *sales = [sale(account) for _ in range(61)]
    before = told("seconds"), told("records")
    # Nothing is held before all lanes are in the group: a lane that joins takes the partitions of
    # one that is held for too long, and what it held comes again.
    async with rig.worker(it, lane_type=Counting, in_hand=3):
        await rig.send(first, partition=4)
        await asyncio.wait_for(held.get(), 20)
        await rig.send(*sales, partition=4)
        go_on.put_nowait(None)
        await asyncio.wait_for(held.get(), 20)
        assert (taken, decided, decoded) == ([1, 60], [1, 20], [1, 20, 20])
        for _ in range(3):
            go_on.put_nowait(None)
        await rig.all_answered(account, [s["sale_id"] for s in sales])
    assert (decided, decoded) == ([1, 20, 20, 20], [1, 20, 20, 20])
    assert since == sorted(set(since))
    assert (told("seconds"), told("records")) == (before[0] + 4, before[1] + 4)
    assert list(await rig.answers(account)) == [s["sale_id"] for s in (first, *sales)]


async def test_what_comes_while_a_batch_is_decided_is_all_in_the_next_one(rig: Rig) -> None:
    """Also what comes later than the first of it, and in other partitions."""
    account = "meanwhile"
    batches: list[list[str]] = []
    held, go_on = asyncio.Event(), asyncio.Event()

    class Noting(EdgeLane):
        async def take(self, records: Sequence[Any], consumer: Any) -> None:
            mine = [s for s in (json.loads(r.value) for r in records) if s["account"] == account]
            batches.extend([[s["sale_id"] for s in mine]] if mine else [])
            await super().take(records, consumer)

    async def pause(tx: Tx) -> None:
        held.set()
        await go_on.wait()

    it = toy.Toy()
    it.pause = pause
    first, *later = [sale(account) for _ in range(5)]
    async with rig.worker(it, lane_type=Noting), rig.wire() as wire:
        await wire.send(first)
        await asyncio.wait_for(held.wait(), 20)
        for one in later:
            await wire.send_anywhere(one)
            await asyncio.sleep(0.15)  # longer than aiokafka waits before it fetches once more
        go_on.set()
        await wire.answered(s["sale_id"] for s in later)
    assert batches[0] == [first["sale_id"]]
    assert sorted(batches[1]) == sorted(s["sale_id"] for s in later)


async def test_records_and_dead_letters_of_two_mebibytes_pass(rig: Rig) -> None:
    most = TOPIC["ledger.dead-letters"].max_value_bytes
    assert most == 2 * 1024 * 1024
    publisher = publisher_of(rig)
    try:
        account = "large"
        value = json.dumps({"account": account, "sale_id": "large"}).encode()
        big = value[:-1] + b',"x":"' + b"x" * (most - len(value) - 7) + b'"}'
        await publisher.publish([answer(big)])
        (record,) = [r for r in await rig.records("invoices.documents") if len(r.value) > 1_000_000]
        assert record.value == big
        await publisher.send([dead_letter(record, "ledger", "undecodable: " + "y" * 2_000)])
        letters = [r for r in await rig.records("ledger.dead-letters") if r.value == big]
        assert len(letters) == 1
    finally:
        await publisher.close()


async def test_the_producer_is_not_flooded(rig: Rig) -> None:
    """Sixty answers of a megabyte: what waits in the producer stays within a few batches."""
    most = 0

    class Watched:
        def __init__(self, client: dict[str, Any]) -> None:
            self._producer = new_producer(client)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._producer, name)

        async def send_batch(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal most
            ack = await self._producer.send_batch(*args, **kwargs)
            waiting = self._producer._message_accumulator._batches
            most = max(most, sum(len(batches) for batches in waiting.values()))
            return ack

    publisher = publisher_of(rig, make=Watched)
    try:
        await publisher.publish([answer(b"x" * 1_000_000) for _ in range(60)])
    finally:
        await publisher.close()
    assert 1 <= most <= 8


def answer(value: bytes) -> Answer:
    return Answer("invoices.documents", "k", "document", "document.part",
                  datetime.fromisoformat(NOW), value)  # fmt: skip


def publisher_of(rig: Rig, **more: Any) -> Publisher:
    stopping = asyncio.Event()
    return Publisher(
        {"bootstrap_servers": rig.kafka},
        Envelope("ledger"),
        lambda: Backoff("test", stopping),
        **more,
    )
