"""Several jobs in one hand: one lease, one step, and each still fails, waits and is lost alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from runtime.answers import Answer
from runtime.jobs import Bundle, JobKind, StepTx, Work
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

Together = Callable[[Bundle], Coroutine[Any, Any, None]]


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


def told(work: Work, how: str) -> Answer:
    return Answer("ledger.entries", "1", f"{work.job.ref} {how}", "t", work.job.created_at, b"{}")


async def finish(bundle: Bundle) -> None:
    async with bundle.step() as tx:
        tx.answer(*(told(work, "together") for work in tx.held))
        tx.done(*tx.held)


async def alone(work: Work) -> None:
    async with work.step() as tx:
        tx.answer(told(work, "alone"))
        tx.done()


def kind_of(together: Together = finish, **changes: Any) -> JobKind:
    usual: dict[str, Any] = {"run": alone, "at_once": 3, "in_turns": True}
    return JobKind(kind="work", together=together, **{**usual, **changes})


async def add(bench: HandlerBench, *refs: str) -> None:
    async with bench.transaction() as tx:
        await tx.add_jobs("work", {ref: {"ref": ref} for ref in refs})


async def states(bench: HandlerBench) -> dict[str, str]:
    return {
        r["ref"]: "held" if r["lease"] else r["state"]
        for r in await bench.database.fetch("SELECT ref, state, lease FROM job ORDER BY id")
    }


async def test_some_of_one_environment_are_taken_then_some_of_whoever_has_fewer(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b", "1/c", "1/d", "2/a", "1/e")
        await add(bench, "1/a")  # was recorded before
        runner = bench.runner([kind_of()])
        taken = [[w.job.ref for w in await runner.take(runner.kinds[0])] for _ in range(4)]
        assert taken == [["1/a", "1/b", "1/c"], ["2/a"], ["1/d", "1/e"], []]


async def test_others_wait_where_a_job_of_the_kind_is_due_that_nobody_holds(dsn: str) -> None:
    """Of others than whose turn it is, on either side of them; ten thousand of theirs, those in
    hand, those of another kind and those of an hour to come are none."""
    async with HandlerBench(dsn) as bench:
        await add(bench, *(f"5/{n}" for n in range(9)))
        runner = bench.runner([kind_of(at_once=2)])
        bundle = Bundle(await runner.take(runner.kinds[0]))
        async with bench.transaction() as tx:
            await tx.add_job("play", "1/a", {})
            await tx.add_job("work", "9/later", {}, after=tx.now + timedelta(hours=1))
        assert not await bundle.others_wait()
        for ref in ("1/a", "50/a"):
            await add(bench, ref)
            assert await bundle.others_wait()
            taken = await runner.take(runner.kinds[0])
            assert [work.job.ref for work in taken] == [ref]
            assert not await bundle.others_wait()


async def test_what_a_killed_worker_had_in_hand_is_no_reason_to_let_others_go_first(
    dsn: str,
) -> None:
    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b", "1/c", "2/a")
        runner = bench.runner([kind_of()])
        taken = [[w.job.ref for w in await runner.take(runner.kinds[0])] for _ in range(2)]
        assert taken == [["1/a", "1/b", "1/c"], ["2/a"]]
        await add(bench, "2/b")
        await bench.database.execute(
            "UPDATE job SET leased_until = now() - interval '1 s' WHERE ref < '2/'"
        )
        taken = [[w.job.ref for w in await runner.take(runner.kinds[0])] for _ in range(2)]
        assert taken == [["1/a", "1/b", "1/c"], ["2/b"]]


async def test_they_are_told_and_done_together(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b", "1/c", "1/d")
        said = await bench.run_jobs([kind_of()])
        # The fourth was taken by itself: `run` does it.
        assert [a.id for a in said] == [f"1/{x} together" for x in "abc"] + ["1/d alone"]
        assert set((await states(bench)).values()) == {"done"}
        assert await bench.database.fetch("SELECT FROM unpublished") == []


async def test_one_that_our_own_code_fails_on_keeps_no_other_back(dsn: str) -> None:
    """Together they fail at once; alone three of four are done, and one fails three times."""
    tries: list[str] = []

    async def together(bundle: Bundle) -> None:
        async with bundle.step() as tx:
            tx.done(*tx.held)
            raise ValueError("one of them")

    async def run(work: Work) -> None:
        tries.append(work.job.ref)
        if work.job.ref == "1/b":
            raise ValueError("ours")
        await alone(work)

    async def on_poison(work: Work, tx: StepTx) -> None:
        tx.answer(told(work, "failed"))

    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b", "1/c")
        kind, said = kind_of(together, run=run, on_poison=on_poison), []
        for _ in range(4):
            said += await bench.run_jobs([kind])
            await bench.make_due("work")
        assert [a.id for a in said] == ["1/a alone", "1/c alone", "1/b failed"]
        assert tries == ["1/a", "1/b", "1/c", "1/b", "1/b"]
        assert await states(bench) == {"1/a": "done", "1/b": "failed", "1/c": "done"}


async def test_what_is_left_open_is_done_alone_and_what_is_put_off_waits(dsn: str) -> None:
    async def together(bundle: Bundle) -> None:
        first, second, _ = bundle.works
        async with bundle.step([first, second]) as tx:
            tx.done(first)
            tx.later(second, 60)

    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b", "1/c")
        said = await bench.run_jobs([kind_of(together)])
        assert [a.id for a in said] == ["1/c alone"]
        assert await states(bench) == {"1/a": "done", "1/b": "open", "1/c": "done"}


async def test_one_that_another_worker_took_is_left_out_of_the_step(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b", "1/c")
        kind = kind_of()
        runner = bench.runner([kind])
        works = await runner.take(kind)
        await bench.database.execute("UPDATE job SET lease = gen_random_uuid() WHERE ref = '1/b'")
        await runner.work_together(works, kind)
        assert [a.id for a in bench.published.answers] == ["1/a together", "1/c together"]
        assert await states(bench) == {"1/a": "done", "1/b": "held", "1/c": "done"}


async def test_where_all_are_lost_nothing_is_written_and_nothing_done_alone(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b")
        kind = kind_of()
        runner = bench.runner([kind])
        works = await runner.take(kind)
        await bench.database.execute("UPDATE job SET lease = gen_random_uuid()")
        await runner.work_together(works, kind)
        assert bench.published.answers == []
        assert await states(bench) == {"1/a": "held", "1/b": "held"}


async def test_their_lease_is_renewed_while_they_are_worked(dsn: str) -> None:
    async def slow(bundle: Bundle) -> None:
        await asyncio.sleep(0.6)
        await finish(bundle)

    async with HandlerBench(dsn) as bench, HandlerBench(dsn) as other:
        await add(bench, "1/a", "1/b")
        kind = kind_of(slow, lease_s=0.3)
        runner = bench.runner([kind])
        doing = asyncio.create_task(runner.work_together(await runner.take(kind), kind))
        for _ in range(5):
            await asyncio.sleep(0.1)
            assert not await other.runner([kind]).take(kind)
        await doing
        assert set((await states(bench)).values()) == {"done"}


async def test_a_fault_of_the_surroundings_gives_all_of_them_back_uncounted(dsn: str) -> None:
    async def away(bundle: Bundle) -> None:
        raise ConnectionResetError

    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b")
        assert await bench.run_jobs([kind_of(away)]) == []
        assert await states(bench) == {"1/a": "open", "1/b": "open"}
        assert await bench.database.fetch("SELECT FROM job WHERE attempts > 0") == []
        await bench.make_due("work")
        assert len(await bench.run_jobs([kind_of()])) == 2


async def test_a_worker_that_is_told_to_stop_gives_all_of_them_back(dsn: str) -> None:
    async def hang(bundle: Bundle) -> None:
        await asyncio.Event().wait()

    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b")
        kind = kind_of(hang)
        runner = bench.runner([kind])
        doing = asyncio.create_task(runner.work_together(await runner.take(kind), kind))
        await asyncio.sleep(0.1)
        assert await states(bench) == {"1/a": "held", "1/b": "held"}
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)
        assert await states(bench) == {"1/a": "open", "1/b": "open"}


async def test_a_worker_has_no_more_of_them_in_hand_than_it_may(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        await add(bench, *(f"1/{n}" for n in range(9)))
        kind = kind_of(in_hand=4)
        runner = bench.runner([kind])
        takes = await asyncio.gather(*(runner.take(kind) for _ in range(4)))
        assert sorted(map(len, takes)) == [0, 0, 1, 3]
        await runner.work_together(next(t for t in takes if len(t) == 3), kind)
        assert len(await runner.take(kind)) == 3


async def test_answers_of_a_killed_worker_are_told_by_another(dsn: str) -> None:
    class Killed(BaseException):
        pass

    async with HandlerBench(dsn) as bench:
        await add(bench, "1/a", "1/b")
        kind = kind_of()
        runner = bench.runner([kind])
        works, healthy = await runner.take(kind), runner._publisher

        class Dies:
            async def publish(self, answers: Any) -> None:
                raise Killed

        runner._publisher = Dies()
        with pytest.raises(Killed):
            await runner.work_together(works, kind)
        runner._publisher = healthy
        assert await runner.recover(older_than_s=0) == 2
        assert [a.id for a in bench.published.answers] == ["1/a together", "1/b together"]
        assert set((await states(bench)).values()) == {"done"}
