"""How long the oldest open job has been waiting is told, whatever became of it since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from runtime.jobs import JobKind, Work
from runtime.waiting import Waiting
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


async def finish(work: Work) -> None:
    async with work.step() as tx:
        tx.done()


async def put_off(work: Work) -> None:
    async with work.step() as tx:
        tx.later(1_000)


KINDS = (
    JobKind(kind="waits-put-off", run=put_off),
    JobKind(kind="waits-soon-done", run=finish),
    JobKind(kind="waits-for-its-hour", run=put_off, appointed=True),
)
HOUR = timedelta(hours=1)


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


async def told(bench: HandlerBench) -> list[int]:
    """What the gauge says of each kind, in whole minutes."""
    await Waiting(bench.database, KINDS).tell()
    found = []
    for kind in KINDS:
        seconds = REGISTRY.get_sample_value("onaccount_oldest_job_seconds", {"kind": kind.kind})
        assert seconds is not None
        found.append(int(seconds // 60))
    return found


async def grow_older(bench: HandlerBench, by: timedelta) -> None:
    async with bench.database.connection() as connection:
        await connection.execute(
            "UPDATE job SET created_at = created_at - $1::interval, due_at = due_at - $1", by
        )


async def test_without_a_job_nothing_waits(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        assert await told(bench) == [0, 0, 0]
        await Waiting(bench.database, ()).tell()


async def test_a_job_ages_until_it_is_done_however_often_it_is_put_off(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        async with bench.transaction() as tx:
            for kind in KINDS[:2]:
                for ref in ("a", "b"):
                    await tx.add_job(kind.kind, ref, {})
        await grow_older(bench, 2 * HOUR)
        async with bench.transaction() as tx:
            await tx.add_job(KINDS[0].kind, "c", {})
        assert await told(bench) == [120, 120, 0]
        await bench.run_jobs(KINDS)
        assert await told(bench) == [120, 0, 0]


async def test_a_job_that_was_made_for_an_hour_to_come_waits_from_then_on(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        async with bench.transaction() as tx:
            await tx.add_job(KINDS[2].kind, "a", {}, after=tx.now + 3 * HOUR)
        await grow_older(bench, 2 * HOUR)
        assert await told(bench) == [0, 0, 0]
        await grow_older(bench, 2 * HOUR)
        assert await told(bench) == [0, 0, 60]
