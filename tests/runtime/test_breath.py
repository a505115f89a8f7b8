"""Long work leaves room for what is short: it pauses, and a fetched batch is cut by its bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.breath import GO_S, Breath
from runtime.edge.lane import LONGEST_REST_S, EdgeLane, pieces
from runtime.edge.publisher import new_producer
from runtime.status import QUIET_S, Status
from tests.runtime.rig import Rig, sale


async def test_others_have_their_turns_while_something_long_is_worked_on() -> None:
    turns: list[float] = []

    async def other() -> None:
        while True:
            turns.append(time.thread_time())
            await asyncio.sleep(0)

    def work() -> Generator[None, None, str]:
        for _ in range(1_000):
            end = time.thread_time() + 0.0001
            while time.thread_time() < end:
                pass
            yield
        return "done"

    task = asyncio.create_task(other())
    assert await Breath().through(work()) == "done"
    task.cancel()
    waits = [after - before for before, after in pairwise(turns)]
    assert sum(waits) > 0.05
    # but for what the garbage collector takes at times
    assert sum(1 for wait in waits if wait > 3 * GO_S) <= 2


async def test_short_work_does_not_pause() -> None:
    breath, turned = Breath(), []
    asyncio.get_running_loop().call_soon(turned.append, True)
    await breath.take()
    assert not turned


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([], []),
        ([4, 4, 4], [[4, 4], [4]]),
        ([20], [[20]]),
        ([1, 20, 1], [[1], [20], [1]]),
        ([10, 0, 1, 9, 1], [[10, 0], [1, 9], [1]]),
    ],
)
def test_records_are_cut_by_their_bytes_one_record_at_least(
    sizes: list[int], cut: list[list[int]]
) -> None:
    records = [SimpleNamespace(value=b"x" * size if size else None) for size in sizes]
    found = [[len(r.value or b"") for r in some] for some in pieces(records, 100, lambda: 10)]
    assert found == cut
    assert list(pieces(records, 100, lambda: None)) == [records][: len(records)]


@pytest.mark.parametrize("limit", [None, 1_000])
def test_records_are_cut_by_their_number(limit: int | None) -> None:
    records = [SimpleNamespace(value=b"x") for _ in range(7)]
    found = list(pieces(records, 3, lambda: limit))
    assert found == [records[:3], records[3:6], records[6:]]


def test_a_piece_may_be_larger_while_nobody_else_has_anything_to_do() -> None:
    status, now = Status(), time.monotonic()
    lane = "registry"
    status.batch_in_hand(lane)
    assert status.others_are_quiet(lane)
    status.batch_done(lane)
    assert status.others_are_quiet(lane)
    status.batch_in_hand("sales")
    assert not status.others_are_quiet(lane)
    status.batch_done("sales")
    assert not status.others_are_quiet(lane), "the next sale may come at any moment"
    assert not status.others_are_quiet("sales")
    status.done = {lane: now, "sales": now - QUIET_S - 0.1}
    assert status.others_are_quiet(lane)


def test_what_others_need_is_looked_at_before_each_piece() -> None:
    allowed = iter([30, 10, 10, 30])
    records = [SimpleNamespace(value=b"x" * 10) for _ in range(7)]
    found = [len(some) for some in pieces(records, 100, lambda: next(allowed))]
    assert found == [3, 1, 1, 2]


async def test_a_lane_gives_way_as_soon_as_another_has_something_in_hand(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "quiet"
    sizes: list[int] = []
    rests: list[float] = []
    other: list[Status] = []

    class Cut(EdgeLane):
        def __init__(self, **given: Any) -> None:
            lane = replace(given["lane"], max_bytes=1, quiet_bytes=100_000, rests=1e-3)
            super().__init__(**{**given, "lane": lane})
            other.append(given["status"])

        async def _take(self, records: Sequence[Any], *more: Any) -> None:
            sizes.append(len(records))
            await super()._take(records, *more)

    async def rest(delay_s: float, stopping: asyncio.Event) -> None:
        rests.append(delay_s)

    async def settle() -> None:
        sales = [sale(account, total=100) for _ in range(20)]
        await rig.send(*sales, partition=2)
        await rig.all_answered(account, [s["sale_id"] for s in sales])

    monkeypatch.setattr("runtime.edge.lane.pause", rest)
    async with rig.worker(lane_type=Cut):
        await settle()
        assert max(sizes) > 1
        assert not rests
        sizes.clear()
        other[0].batch_in_hand("another")
        began = time.perf_counter()
        await settle()
        assert set(sizes) == {1}
    assert len(rests) == len(sizes)
    assert 0 < sum(rests) <= (time.perf_counter() - began) * 1e-3


async def test_a_rest_is_no_longer_than_a_tenth_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rested: list[float] = []

    async def rest(delay_s: float, stopping: asyncio.Event) -> None:
        rested.append(delay_s)

    status = Status()
    status.batch_in_hand("another")
    lane: Any = SimpleNamespace(
        lane=SimpleNamespace(name="long", rests=2.0), _status=status, _stopping=asyncio.Event()
    )
    monkeypatch.setattr("runtime.edge.lane.pause", rest)
    for took_s in (0.02, 30.0):
        await EdgeLane._give_way(lane, took_s)
    assert rested == [0.04, LONGEST_REST_S]


async def test_a_lane_that_is_cut_settles_every_record_once_and_in_order(rig: Rig) -> None:
    account = "pieces"
    sizes: list[int] = []

    class Cut(EdgeLane):
        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "lane": replace(given["lane"], max_bytes=1_000)})

        async def _take(self, records: Sequence[Any], *more: Any) -> None:
            sizes.append(len(records))
            await super()._take(records, *more)

    sales = [sale(account, total=100) for _ in range(60)]
    await rig.send(*sales, partition=2)
    async with rig.worker(lane_type=Cut):
        await rig.all_answered(account, [s["sale_id"] for s in sales])
    assert max(sizes) <= 4 < sum(sizes)
    assert await rig.counted(account) == (60, 6_000)
    answers = await rig.answers(account)
    assert [len(records) for records in answers.values()] == [1] * 60
    assert list(answers) == [s["sale_id"] for s in sales]


async def test_one_piece_is_decided_while_the_one_before_is_published_and_no_more(rig: Rig) -> None:
    account = "beside"
    publishing, go_on = asyncio.Event(), asyncio.Event()

    class Cut(EdgeLane):
        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "lane": replace(given["lane"], max_bytes=1)})

    class Held:
        def __init__(self, client: dict[str, Any]) -> None:
            self._producer = new_producer(client)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._producer, name)

        async def send_batch(self, *args: Any, **kwargs: Any) -> Any:
            publishing.set()
            await go_on.wait()
            return await self._producer.send_batch(*args, **kwargs)

    sales = [sale(account, total=100) for _ in range(6)]
    await rig.send(*sales, partition=2)
    async with rig.worker(lane_type=Cut, producer=Held):
        await asyncio.wait_for(publishing.wait(), 60)
        async with asyncio.timeout(60):
            while await rig.counted(account) != (2, 200):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert await rig.counted(account) == (2, 200)
        assert await rig.answers(account) == {}
        go_on.set()
        await rig.all_answered(account, [s["sale_id"] for s in sales])
    assert await rig.counted(account) == (6, 600)
    assert list(await rig.answers(account)) == [s["sale_id"] for s in sales]
