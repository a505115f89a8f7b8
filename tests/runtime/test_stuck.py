"""Jobs that a fault of the surroundings stops are tried less and less often, and that is told."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import time
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from runtime.health import HealthServer
from runtime.jobs import Bundle, JobKind, Work
from runtime.status import BATCH_OLD_S, Status
from runtime.stuck import FIRST_S, LONGEST_S, Stuck
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
TOLD = f"jobs: work: waits for OSError: {FULL}"


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


def figure(kind: str) -> float | None:
    return REGISTRY.get_sample_value("onaccount_stuck_jobs", {"kind": kind})


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
    pauses = [stuck.put_off("work", [1], FULL) for _ in range(6)]
    assert pauses[0] == pytest.approx(FIRST_S, rel=0.2)
    assert pauses[1] == pytest.approx(2 * FIRST_S, rel=0.2)
    assert pauses[5] == pytest.approx(LONGEST_S, rel=0.2)
    assert stuck.put_off("work", [2], FULL) == pytest.approx(FIRST_S, rel=0.2)  # each job by itself


def test_what_failed_together_is_put_off_as_long_as_the_one_that_waits_longest() -> None:
    stuck = Stuck(serving(), asyncio.Event())
    stuck.put_off("work", [1], FULL)
    assert stuck.put_off("work", [1, 2], FULL) == pytest.approx(2 * FIRST_S, rel=0.2)


async def test_it_is_told_while_one_is_stuck_and_in_the_log_once_and_the_worker_is_ready() -> None:
    status = serving()
    stuck = Stuck(status, asyncio.Event())
    with capture_logs() as logs:
        stuck.put_off("work", [1, 2], FULL)
        assert status.beside() == []  # nobody need hear of a moment
        await asyncio.sleep(1.05)
        stuck.put_off("work", [1, 2], FULL)
        assert (status.beside(), status.unready()) == ([TOLD], [])
        assert figure("work") == 2
        stuck.over([1])
        stuck.over([3])
        assert (status.beside(), figure("work")) == ([TOLD], 1)
        stuck.over([2])
    assert (status.beside(), figure("work")) == ([], 0)
    assert [line["event"] for line in logs] == ["waiting", "going on"]
    assert logs[0]["jobs"] == [1, 2]


def test_a_stuck_job_hides_no_lane_that_hangs() -> None:
    status = serving()
    stuck = Stuck(status, asyncio.Event())
    stuck.put_off("work", [1], FULL)
    status.stuck["jobs: work"] = "room"
    status.in_hand["sales"] = time.monotonic() - 2 * BATCH_OLD_S
    assert [why for why in status.dead() if "sales" in why]


def test_the_body_of_ready_says_it_with_status_200() -> None:
    status = serving()
    server = HealthServer(status, "127.0.0.1", 0)
    server.start()
    try:
        status.stuck["jobs: work"] = "room"
        with urlopen(f"http://127.0.0.1:{server.port}/ready") as told:
            assert json.load(told) == {
                "ok": True,
                "why": [],
                "stuck": ["jobs: work: waits for room"],
            }
        with urlopen(f"http://127.0.0.1:{server.port}/live") as told:
            assert json.load(told) == {"ok": True, "why": []}
    finally:
        server.stop()


async def test_what_another_worker_has_done_or_is_at_is_told_no_more(dsn: str) -> None:
    async def never(work: Work) -> None:
        raise FULL

    kind = JobKind(kind="work", run=never, side_by_side=1)
    async with HandlerBench(dsn) as bench:
        await add(bench, "done", "held", "open")
        runner = bench.runner([kind])
        for _ in range(3):
            work = await runner.claim(kind)
            assert work is not None
            await runner.work_together([work], kind)
        done, held, left = sorted(runner.stuck.jobs)
        await bench.database.fetch(
            "UPDATE job SET state = 'done', ended_at = now() WHERE id = $1 RETURNING id", done
        )
        await bench.make_due("work")
        (other,) = await bench.database.fetch(
            "UPDATE job SET lease = gen_random_uuid(), leased_until = now() + interval '1 minute'"
            " WHERE id = $1 RETURNING id",
            held,
        )
        await runner.stuck.forget_what_others_have(runner.database)
        assert (other["id"], runner.stuck.jobs) == (held, (left,))
        assert figure("work") == 1


async def test_what_is_done_before_the_fault_comes_is_not_stuck(dsn: str) -> None:
    async def together(bundle: Bundle) -> None:
        await finish(bundle.works[0])
        raise FULL

    kind = JobKind(
        kind="work", run=finish, side_by_side=1, in_turns=True, together=together, at_once=10
    )
    async with HandlerBench(dsn) as bench:
        await add(bench, *(f"2890/{n}" for n in range(3)))
        runner = bench.runner([kind])
        works = await runner.take(kind)
        await runner.work_together(works, kind)
        assert runner.stuck.jobs == tuple(work.job.id for work in works[1:])


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
            await until(lambda: TOLD in status.beside())
            await until(lambda: len(tries) >= 4, within_s=60)
            assert tries[3] - tries[2] > tries[1] - tries[0]
            await add(bench, "b")
            room.set()
            await until(lambda: not status.beside())
            assert status.unready() == []
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
