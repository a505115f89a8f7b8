"""Jobs that were done long ago go, and nothing else: in small pieces, by whoever comes by."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.clearing import AT_ONCE, Clearing
from runtime.database import Database as Pool
from runtime.jobs import JobKind, Work
from runtime.status import Status
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


async def finish(work: Work) -> None:
    async with work.step() as tx:
        tx.done()


async def fail(work: Work) -> None:
    raise ValueError("of our own")


async def put_off(work: Work) -> None:
    async with work.step() as tx:
        tx.later(1_000)


GONE = JobKind(kind="gone", run=finish, cleared=True)
KINDS = (
    GONE,
    JobKind(kind="kept", run=finish),
    JobKind(kind="failed", run=fail, cleared=True),
    JobKind(kind="open", run=put_off, cleared=True),
)


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


async def left(bench: HandlerBench) -> list[tuple[str, str]]:
    rows = await bench.database.fetch("SELECT kind, state FROM job ORDER BY kind")
    return [(row["kind"], row["state"]) for row in rows]


async def test_told_to_stop_while_postgresql_is_away_it_ends_by_itself() -> None:
    stopping = asyncio.Event()
    clearing = Clearing(Pool("postgresql://127.0.0.1:1/away"), ["gone"], days=1)
    trying = asyncio.create_task(clearing.run(Status(), stopping))
    await asyncio.sleep(0.01)
    stopping.set()
    await asyncio.wait_for(trying, 1)


async def test_what_is_open_failed_or_kept_stays_whatever_its_age(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        async with bench.transaction() as tx:
            for kind in KINDS:
                await tx.add_job(kind.kind, "a", {})
        for _ in range(4):
            await bench.run_jobs(KINDS)
            await bench.make_due("failed")
        everything = [("failed", "failed"), ("gone", "done"), ("kept", "done"), ("open", "open")]
        assert await left(bench) == everything
        assert await bench.clear_jobs(KINDS, days=29) == 0
        assert await left(bench) == everything
        assert await bench.clear_jobs(KINDS, days=2) == 1
        assert await left(bench) == [one for one in everything if one[0] != "gone"]


async def test_thousands_go_in_small_pieces_and_two_workers_share_them(dsn: str) -> None:
    count = 2 * AT_ONCE + 200
    async with HandlerBench(dsn) as bench:
        await bench.database.execute(
            "INSERT INTO job (kind, ref, payload, state, ended_at)"
            " SELECT 'gone', n::text, '{}', 'done', now() - interval '31 days'"
            " FROM generate_series(1, $1::int) AS n",
            count,
        )
        cleared: list[Any] = await asyncio.gather(
            *(bench.runner([GONE]).clearing.some() for _ in "ab")
        )
        assert cleared == [AT_ONCE] * 2
        assert await bench.runner([GONE]).clearing.some() == 200
        assert await left(bench) == []
