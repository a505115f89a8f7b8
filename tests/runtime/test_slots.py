"""Who looks for jobs: soon after a commit that may have made one, and not after every other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from runtime.bell import Bell, within
from runtime.slots import REST_S, Slots
from runtime.status import Status
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


class Counting:
    """A database that counts what it is asked."""

    def __init__(self, bench: HandlerBench) -> None:
        self._bench = bench
        self.asked = asyncio.Event()
        self.looks = 0

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        rows = await self._bench.database.fetch(query, *args)
        self.looks += 1
        self.asked.set()
        return rows


@asynccontextmanager
async def ringing(
    postgres: Database,
) -> AsyncIterator[tuple[Slots, Counting, asyncio.Event, HandlerBench, Bell]]:
    """Slots of one kind of which somebody looks after them."""
    wake, committed = asyncio.Event(), Bell()
    async with HandlerBench(postgres.dsn("ledger")) as bench:
        database = Counting(bench)
        slots = Slots(
            ["work"],
            database,  # type: ignore[arg-type]
            Status(),
            asyncio.Event(),
            wake,
            committed,
            poll_s=600,  # nothing is found by the tick
        )
        task = asyncio.create_task(slots.ring())
        try:
            yield slots, database, wake, bench, committed
        finally:
            task.cancel()


async def test_batch_after_batch_makes_few_looks_and_rings_the_bell_each_time(
    postgres: Database,
) -> None:
    batches = 60
    async with ringing(postgres) as (_, database, wake, _, committed):
        begun = asyncio.get_running_loop().time()
        for _ in range(batches):
            heard = committed.next()
            wake.set()
            assert await within(5, heard)
        took = asyncio.get_running_loop().time() - begun
        assert database.looks <= took / REST_S + 2


async def test_a_job_of_a_commit_just_after_a_look_in_vain_is_found_without_another_commit(
    postgres: Database,
) -> None:
    async with ringing(postgres) as (slots, database, wake, bench, _):
        wake.set()
        await asyncio.wait_for(database.asked.wait(), 5)  # in vain
        before = database.looks
        waiting = asyncio.create_task(slots.wait("work"))
        async with bench.transaction() as tx:
            await tx.add_job("work", "one", {})
        wake.set()
        await asyncio.wait_for(waiting, 30)
        assert database.looks == before + 1
