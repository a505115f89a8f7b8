"""Jobs: claimed by one, fenced, in order, postponed until a barrier; their answers never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from runtime.answers import Answer
from runtime.database import Connection
from runtime.edge.guard import Place
from runtime.faults import LeaseLost, StoreWentBack
from runtime.jobs import JobKind, StepTx, Work
from runtime.state import Key, Rows, StateKind
from runtime.transaction import sql
from tests.runtime.faulty import COUNTS, Plan, failing_database
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


def said(work: Work, text: str = "") -> Answer:
    value = f'{{"ref":"{work.job.ref}","text":"{text}"}}'.encode()
    return Answer(
        "ledger.entries", "2890", f"{work.job.ref}/{text}", "t", work.job.created_at, value
    )


async def finish(work: Work) -> None:
    async with work.step() as tx:
        tx.answer(said(work))
        tx.done()


async def too_late(work: Work) -> None:
    async with work.step() as tx:
        tx.answer(said(work, "too late"))
        await tx.execute("INSERT INTO positions VALUES ('too late', 0, 1)")


@asynccontextmanager
async def benches(dsn: str, count: int = 2) -> AsyncIterator[list[HandlerBench]]:
    """Several workers, each with connections of its own."""
    made = [HandlerBench(dsn) for _ in range(count)]
    for one in made:
        await one.__aenter__()
    try:
        yield made
    finally:
        for one in made:
            await one.__aexit__()


async def add(bench: HandlerBench, *refs: str, **more: Any) -> None:
    async with bench.transaction() as tx:
        for ref in refs:
            await tx.add_job("work", ref, {"ref": ref}, **more)


async def jobs(bench: HandlerBench) -> dict[str, Any]:
    return {r["ref"]: r for r in await bench.database.fetch("SELECT * FROM job")}


async def test_a_job_that_is_added_twice_is_one(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        async with bench.transaction() as tx:
            assert await tx.add_job("work", "a", {"n": 1})
            assert not await tx.add_job("work", "a", {"n": 2})
        assert len(await bench.run_jobs([JobKind(kind="work", run=finish)])) == 1
        await add(bench, "a")
        assert await bench.run_jobs([JobKind(kind="work", run=finish)]) == []


async def test_of_many_runners_that_claim_at_once_each_gets_another_job(dsn: str) -> None:
    kind = JobKind(kind="work", run=finish)
    async with benches(dsn, 4) as workers:
        await add(workers[0], *(f"job-{n}" for n in range(20)))
        runners = [w.runner([kind]) for w in workers]
        claims = await asyncio.gather(*(r.claim(kind) for r in runners for _ in range(6)))
        taken = [c.job.ref for c in claims if c is not None]
        assert sorted(taken) == sorted(f"job-{n}" for n in range(20))


async def test_a_lease_that_ran_out_is_taken_over_and_the_old_holder_changes_nothing(
    dsn: str,
) -> None:
    kind = JobKind(kind="work", run=finish, lease_s=0.3)
    async with benches(dsn) as (slow, quick):
        await add(slow, "a")
        old = await slow.runner([kind]).claim(kind)
        assert old is not None
        assert await quick.runner([kind]).claim(kind) is None
        await asyncio.sleep(0.4)
        assert [a.id for a in await quick.run_jobs([kind])] == ["a/"]
        with pytest.raises(LeaseLost):
            await too_late(old)
        assert slow.published.answers == []
        assert await slow.database.fetch("SELECT FROM positions") == []


async def test_the_lease_is_renewed_while_the_job_works(dsn: str) -> None:
    async def long(work: Work) -> None:
        await asyncio.sleep(2.2)
        await finish(work)

    # so long that on a full machine too it is renewed in time
    kind = JobKind(kind="work", run=long, lease_s=1.2)
    async with benches(dsn) as (one, other):
        await add(one, "a")
        task = asyncio.create_task(one.run_jobs([kind]))
        for _ in range(10):
            await asyncio.sleep(0.2)
            assert await other.runner([kind]).claim(kind) is None
        assert len(await task) == 1


@pytest.mark.parametrize("renewed", [False, True])
async def test_after_a_step_longer_than_its_lease_the_job_is_still_in_the_same_hand(
    dsn: str, renewed: bool
) -> None:
    """Renewed: that waits for the row, which the step holds, and comes after it."""
    kind = JobKind(kind="work", run=finish, lease_s=0.4)
    async with benches(dsn) as (one, other):
        await add(one, "a")
        runner = one.runner([kind])
        work = await runner.claim(kind)
        assert work is not None
        renewing = None
        async with work.step() as tx:
            if renewed:
                renewing = asyncio.create_task(
                    one.database.fetch(sql.renew, [work.job.id], work.lease, kind.lease_s)
                )
            await tx.execute("SELECT pg_sleep(0.6)")
        if renewing is not None:
            assert len(await renewing) == 1
        assert await other.runner([kind]).claim(kind) is None


async def test_a_job_that_was_taken_over_is_broken_off(dsn: str) -> None:
    broken_off: list[bool] = []

    async def hang(work: Work) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            broken_off.append(True)
            raise

    kind = JobKind(kind="work", run=hang, lease_s=0.3)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        runner = bench.runner([kind])
        work = await runner.claim(kind)
        assert work is not None
        await bench.database.execute("UPDATE job SET lease = gen_random_uuid()")
        await asyncio.wait_for(runner.work(work, kind), 5)
        assert broken_off == [True]


async def test_unpublished_answers_of_a_dead_worker_are_published_in_order_with_the_same_bytes(
    dsn: str,
) -> None:
    class Dead(Exception):
        pass

    class NoPublisher:
        async def publish(self, answers: object) -> None:
            raise Dead

    kind = JobKind(kind="work", run=finish)
    async with benches(dsn) as (dying, living):
        refs = [f"job-{n}" for n in range(5)]
        expected = []
        for ref in refs:
            await add(dying, ref)
            runner = dying.runner([kind])
            runner._publisher = NoPublisher()
            work = await runner.claim(kind)
            assert work is not None
            expected.append(said(work))
            with pytest.raises(Dead):
                await finish(work)
        assert await living.runner([kind]).recover(older_than_s=60) == 0
        assert await living.runner([kind]).recover(older_than_s=0) == 5
        assert living.published.answers == expected
        assert await living.runner([kind]).recover(older_than_s=0) == 0


async def test_what_a_dead_worker_left_is_told_states_first_however_many_answers_there_are(
    dsn: str,
) -> None:
    state = Answer("ledger.balances", "2890:1", "state", "t", datetime.now(UTC), b"{}")

    async def read(connection: Connection, keys: Sequence[Key]) -> Rows:
        return {key: (1, lambda: state) for key in keys}

    async def many(work: Work) -> None:
        async with work.step() as tx:
            tx.answer(*(said(work, str(n)) for n in range(201)))
            tx.touch("balance", "1")
            tx.done()

    class Killed(BaseException):
        pass

    class Dies:
        async def publish(self, answers: object) -> None:
            raise Killed

    kind = JobKind(kind="work", run=many)
    async with HandlerBench(dsn, states=[StateKind(kind="balance", read=read)]) as bench:
        await add(bench, "a")
        runner = bench.runner([kind])
        runner._publisher = Dies()
        work = await runner.claim(kind)
        assert work is not None
        with pytest.raises(Killed):
            await many(work)
        assert await bench.runner([kind]).recover(older_than_s=0) == 202
        assert bench.published.answers[0] == state


async def test_what_was_left_unpublished_is_read_in_portions_of_some_megabytes(dsn: str) -> None:
    async def big(work: Work) -> None:
        async with work.step() as tx:
            tx.answer(*(said(work, "x" * 2_000_000) for _ in range(12)))
            tx.done()

    kind = JobKind(kind="work", run=big)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        await bench.run_jobs([kind])
        rows = [f"('t', 'k', '{n}', 't', now(), repeat('x', 2000000)::bytea)" for n in range(12)]
        await bench.database.execute(
            "INSERT INTO unpublished (topic, key, ce_id, ce_type, ce_time, value) VALUES "
            + ",".join(rows)
        )
        portion = await bench.database.fetch(sql.unpublished, 0.0)
        assert [r["ce_id"] for r in portion] == ["0", "1", "2", "3"]
        bench.published.answers.clear()
        assert await bench.runner([kind]).recover(older_than_s=0) == 12


async def test_jobs_of_one_serial_key_run_one_after_another_in_order_of_id(dsn: str) -> None:
    running: list[str] = []
    order: list[str] = []

    async def alone(work: Work) -> None:
        running.append(work.job.ref)
        assert len(running) == 1
        await asyncio.sleep(0.02)
        order.append(work.job.ref)
        running.remove(work.job.ref)
        await finish(work)

    kind = JobKind(kind="work", run=alone)
    async with benches(dsn, 3) as workers:
        refs = [f"job-{n}" for n in range(8)]
        await add(workers[0], *refs, serial="2890")

        async def until_none(bench: HandlerBench) -> None:
            while len(order) < len(refs):
                await bench.run_jobs([kind])
                await asyncio.sleep(0.01)

        await asyncio.gather(*(until_none(w) for w in workers))
    assert order == refs


async def test_an_elder_that_commits_late_waits_for_its_younger_brother(dsn: str) -> None:
    """Ids are given before the commit: the younger one may be claimed when the elder appears."""
    kind = JobKind(kind="work", run=finish, lease_s=0.4)
    async with benches(dsn) as (one, other):
        async with one.transaction() as late:
            await late.add_job("work", "elder", {}, serial="2890")
            await add(other, "younger", serial="2890")
            younger = await other.runner([kind]).claim(kind)
            assert younger is not None
            assert younger.job.ref == "younger"
        assert await one.runner([kind]).claim(kind) is None
        # Its worker died: it is taken over first, and only then comes the elder's turn.
        await asyncio.sleep(0.5)
        assert [a.id for a in await one.run_jobs([kind])] == ["younger/", "elder/"]


async def test_a_job_waits_at_its_barrier_until_the_positions_are_there(dsn: str) -> None:
    kind = JobKind(kind="work", run=finish)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a", barrier={"pos.decisions": {0: 10, 3: 5}})
        for place, offset in ((0, 10), (3, 4)):
            assert await bench.run_jobs([kind]) == []
            await bench.database.execute(sql.opening, ["pos.decisions"], [place], [offset], [None])
        assert await bench.run_jobs([kind]) == []
        await bench.database.execute(sql.opening, ["pos.decisions"], [3], [5], [None])
        assert len(await bench.run_jobs([kind])) == 1


async def test_later_gives_the_job_back_until_then(dsn: str) -> None:
    async def twice(work: Work) -> None:
        async with work.step() as tx:
            if "again" in work.job.payload:
                tx.done()
            else:
                tx.save({"again": True})
                tx.later(0.3)

    kind = JobKind(kind="work", run=twice)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        await bench.run_jobs([kind])
        assert (await jobs(bench))["a"]["lease"] is None
        assert await bench.runner([kind]).claim(kind) is None
        await asyncio.sleep(0.35)
        await bench.run_jobs([kind])
        assert (await jobs(bench))["a"]["state"] == "done"


async def test_a_key_that_is_taken_for_good_is_no_race_for_ever(dsn: str) -> None:
    """The first time another transaction may be at it; at the third it stands there."""
    tries = 0

    async def take(work: Work) -> None:
        nonlocal tries
        tries += 1
        async with work.step() as tx:
            await tx.execute("INSERT INTO positions VALUES ('taken', 0, 1)")

    async def on_poison(work: Work, tx: StepTx) -> None:
        tx.answer(said(work, "failed"))

    kind = JobKind(kind="work", run=take, on_poison=on_poison)
    async with HandlerBench(dsn) as bench:
        await bench.database.execute("INSERT INTO positions VALUES ('taken', 0, 1)")
        await add(bench, "a")
        published = []
        for _ in range(5):
            published += await bench.run_jobs([kind])
            await bench.make_due("work")
        assert tries == 3
        assert [a.id for a in published] == ["a/failed"]
        assert (await jobs(bench))["a"]["state"] == "failed"


@pytest.mark.parametrize("steps_first", [False, True])
async def test_code_of_our_own_that_fails_three_times_ends_the_job_as_failed(
    dsn: str, steps_first: bool
) -> None:
    """Also where each try makes a step first that saves nothing new."""
    tries = 0

    async def fail(work: Work) -> None:
        nonlocal tries
        tries += 1
        if steps_first:
            async with work.step() as tx:
                tx.save({"ref": "a"})
        raise ValueError("ours")

    async def on_poison(work: Work, tx: StepTx) -> None:
        tx.answer(said(work, "failed"))

    kind = JobKind(kind="work", run=fail, on_poison=on_poison)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        published = []
        for _ in range(5):
            published += await bench.run_jobs([kind])
            await bench.make_due("work")
        assert tries == 3
        assert [a.id for a in published] == ["a/failed"]
        assert (await jobs(bench))["a"]["state"] == "failed"


async def test_a_failure_that_can_not_be_answered_still_ends_the_job(dsn: str) -> None:
    async def fail(work: Work) -> None:
        raise ValueError

    async def on_poison(work: Work, tx: StepTx) -> None:
        await tx.execute("SELECT 1/0")

    kind = JobKind(kind="work", run=fail, on_poison=on_poison)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        for _ in range(3):
            await bench.run_jobs([kind])
            await bench.make_due("work")
        assert (await jobs(bench))["a"]["state"] == "failed"


async def test_a_job_that_makes_no_step_is_not_called_for_ever(dsn: str) -> None:
    async def idle(work: Work) -> None:
        return

    kind = JobKind(kind="work", run=idle)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        for _ in range(3):
            await asyncio.wait_for(bench.run_jobs([kind]), 5)
            await bench.make_due("work")
        assert (await jobs(bench))["a"]["state"] == "failed"


@pytest.mark.parametrize("fault", [ConnectionResetError(), TimeoutError(), asyncpg.DiskFullError()])
async def test_a_fault_of_the_surroundings_is_never_counted_against_a_job(
    dsn: str, fault: Exception
) -> None:
    tries = 0

    async def away(work: Work) -> None:
        nonlocal tries
        tries += 1
        if tries <= 6:
            raise fault
        await finish(work)

    kind = JobKind(kind="work", run=away)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        for _ in range(7):
            await bench.run_jobs([kind])
            await bench.make_due("work")
        assert tries == 7
        assert (await jobs(bench))["a"]["state"] == "done"


async def test_a_runner_that_is_told_to_stop_gives_its_lease_back(dsn: str) -> None:
    begun = asyncio.Event()

    async def hang(work: Work) -> None:
        begun.set()
        await asyncio.sleep(60)

    kind = JobKind(kind="work", run=hang)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        runner = bench.runner([kind])
        task = asyncio.create_task(runner.run())
        await asyncio.wait_for(begun.wait(), 5)
        runner._stopping.set()
        await asyncio.sleep(0)
        task.cancel()  # an impatient worker asks twice
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)
        row = (await jobs(bench))["a"]
        assert row["lease"] is None
        assert row["attempts"] == 0


async def test_no_job_is_given_a_step_once_the_store_went_back(dsn: str) -> None:
    kind = JobKind(kind="work", run=finish)
    async with HandlerBench(dsn) as bench:
        await add(bench, "a")
        runner = bench.runner([kind])
        work = await runner.claim(kind)
        assert work is not None
        bench.guard.wrote({Place("pos.sales", 0): 10})
        with pytest.raises(StoreWentBack):
            await finish(work)
        assert (await jobs(bench))["a"]["state"] == "open"
        assert bench.published.answers == []


async def test_an_exception_at_each_await_of_a_job_loses_no_answer(dsn: str) -> None:
    plan, fired = Plan(), []

    async def two_steps(work: Work) -> None:
        if "half" not in work.job.payload:
            async with work.step() as tx:
                tx.answer(said(work, "half"))
                tx.save({"half": True})
        await finish(work)

    kind = JobKind(kind="work", run=two_steps)
    async with HandlerBench(dsn) as bench:
        bench.database = failing_database(plan)(dsn)
        for point in range(1, 200):
            ref = f"job-{point}"
            await add(bench, ref)
            runner = bench.runner([kind])
            plan.arm(point)
            for _ in range(4):
                token = COUNTS.set(True)
                with suppress(ConnectionResetError):
                    if work := await runner.claim(kind):
                        await runner.work(work, kind)
                    await runner.recover(older_than_s=0)
                COUNTS.reset(token)
                await bench.make_due("work")
            wanted = {f"{ref}/half", f"{ref}/"}
            assert wanted <= {a.id for a in bench.published.answers}, plan.fired
            if plan.fired is None:
                break
            fired.append(plan.fired)
        await bench.database.close()
    same = {a.id: a for a in bench.published.answers}
    assert all(a == same[a.id] for a in bench.published.answers)
    assert {"before commit", "after commit", "before fetchrow"} <= set(fired)
