"""Jobs that a fault of the surroundings stops are tried less and less often, and that is told."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from runtime.edge.backoff import LONGEST_S
from runtime.jobs import Bundle, JobKind, Work
from runtime.status import Status
from runtime.stuck import FIRST_S, Stuck
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
TOLD = f"jobs: work: waits for OSError: {FULL}"


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


def serving() -> Status:
    return Status(started=True, postgres=None, kafka=None)


async def add(bench: HandlerBench, *refs: str) -> None:
    async with bench.transaction() as tx:
        for ref in refs:
            await tx.add_job("work", ref, {})


async def until(what: Callable[[], object], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not what():
            await asyncio.sleep(0.02)


async def finish(work: Work) -> None:
    async with work.step() as tx:
        tx.done()


def test_the_pauses_grow_up_to_the_longest() -> None:
    stuck = Stuck(serving(), asyncio.Event())
    pauses = [stuck.failed("work", [1], FULL) for _ in range(6)]
    assert pauses[0] == pytest.approx(FIRST_S, rel=0.2)
    assert pauses[1] == pytest.approx(2 * FIRST_S, rel=0.2)
    assert pauses[5] == pytest.approx(LONGEST_S, rel=0.2)
    assert stuck.failed("work", [2], FULL) == pytest.approx(FIRST_S, rel=0.2)  # each job by itself


def test_what_failed_together_is_put_off_as_long_as_the_one_that_waits_longest() -> None:
    stuck = Stuck(serving(), asyncio.Event())
    stuck.failed("work", [1], FULL)
    assert stuck.failed("work", [1, 2], FULL) == pytest.approx(2 * FIRST_S, rel=0.2)


async def test_it_is_in_ready_while_one_is_stuck_and_in_the_log_once() -> None:
    status = serving()
    stuck = Stuck(status, asyncio.Event())
    with capture_logs() as logs:
        stuck.failed("work", [1, 2], FULL)
        assert status.unready() == []  # nobody need hear of a moment
        await asyncio.sleep(1.05)
        stuck.failed("work", [1, 2], FULL)
        assert status.unready() == [TOLD]
        stuck.over(1)
        stuck.over(3)
        assert status.unready() == [TOLD]
        stuck.over(2)
    assert status.unready() == []
    assert [line["event"] for line in logs] == ["waiting", "going on"]


async def test_what_another_worker_has_done_is_told_no_more() -> None:
    status = serving()
    stuck = Stuck(status, asyncio.Event(), lapse_s=-3)
    stuck.failed("work", [1], FULL)
    await asyncio.sleep(1.05)
    stuck.failed("work", [1], FULL)
    assert status.unready() == [TOLD]
    stuck.lapse()
    assert status.unready() == []


async def test_a_worker_says_what_its_job_waits_for_and_goes_on_when_it_is_there(dsn: str) -> None:
    room = asyncio.Event()
    tries: list[float] = []

    async def write(work: Work) -> None:
        tries.append(asyncio.get_running_loop().time())
        if not room.is_set():
            raise FULL
        await finish(work)

    kind = JobKind(kind="work", run=write, side_by_side=2)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        runner = bench.runner([kind])
        status = runner._status
        status.started, status.postgres, status.kafka = True, None, None
        running = asyncio.create_task(runner.run())
        try:
            await until(lambda: TOLD in status.unready())
            await until(lambda: len(tries) >= 4)
            assert tries[3] - tries[2] > tries[1] - tries[0]
            await add(bench, "b")
            room.set()
            await until(lambda: not status.unready())
            rows = await bench.database.fetch("SELECT state, attempts FROM job")
            assert {(row["state"], row["attempts"]) for row in rows} == {("done", 0)}
        finally:
            runner._stopping.set()
            await running


async def test_jobs_that_fail_together_are_told_of_once(dsn: str) -> None:
    full = True

    async def together(bundle: Bundle) -> None:
        if full:
            raise FULL
        for work in bundle.works:
            await finish(work)

    kind = JobKind(
        kind="work", run=finish, side_by_side=2, in_turns=True, together=together, at_once=10
    )
    async with HandlerBench(dsn) as bench:
        await add(bench, *(f"2890/{n}" for n in range(5)))
        runner = bench.runner([kind])
        with capture_logs() as logs:
            await runner.work_together(await runner.take(kind), kind)
            assert [line["event"] for line in logs] == ["waiting"]
            assert await runner.take(kind) == []  # all of them were put off
            await bench.make_due("work")
            full = False
            await runner.work_together(await runner.take(kind), kind)
        assert [line["event"] for line in logs] == ["waiting", "going on"]
        assert await bench.database.fetch("SELECT FROM job WHERE state <> 'done'") == []
