"""Two great runs of two venues do not hold up the small run of a third.

A worker has two slots for runs. Method: the runner of a worker, on a real PostgreSQL, works on two
great runs; once both bill, a small one is asked for. It is answered within a step or two of theirs,
with most of their accounts still to come.
"""

import asyncio
import time
from typing import Any

from runtime.jobs import Work
from services.invoicer.jobs.run import ACCOUNTS_PER_STEP, RUN
from services.invoicer.verify import audit
from tests.services.invoicer.world import (
    BEER,
    LUNCH,
    World,
    account,
    asked,
    customer,
    environment,
    new_id,
    said,
    sale,
)

GREAT, SMALL = 1_000, 3
AT_MOST_S = 2.0
LEFT = "SELECT count(*) FROM run_item WHERE environment = $1 AND NOT done"


async def venue(world: World, number: int, accounts: int) -> None:
    """So many accounts of one guest, each with a sale of two lines."""
    guest = new_id()
    names = [f"{n:04}" for n in range(accounts)]
    await world.registry(
        environment(number),
        customer(guest, number),
        *(account(name, guest, number) for name in names),
    )
    await world.sell(*(sale(name, BEER, LUNCH, number=number) for name in names))


async def answered(world: World, number: int, within_s: float) -> dict[str, Any] | None:
    """A venue's run.completed, None where none came in time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        for one in said(world.bench.published.answers, "run.completed"):
            if one["environment"] == number:
                return one
        await asyncio.sleep(0.01)
    return None


async def test_a_small_run_waits_for_a_step_of_the_great_ones_and_not_for_all(
    world: World,
) -> None:
    for number in (1, 2):
        await venue(world, number, GREAT)
    await venue(world, 3, SMALL)
    runner = world.bench.runner([RUN])
    await world.command(asked(number=1, send=False), asked(number=2, send=False))
    working = asyncio.create_task(runner.run())
    try:
        while len(await world.fetch("SELECT DISTINCT environment FROM number")) < 2:
            await asyncio.sleep(0.01)
        await world.command(asked(number=3, send=False))
        runner.wake.set()
        completed = await answered(world, 3, AT_MOST_S)
        left = [(await world.fetch(LEFT, number))[0][0] for number in (1, 2)]
    finally:
        runner._stopping.set()
        await working
    assert completed is not None, f"the great runs went first; left of them: {left}"
    assert completed["issued"] == SMALL
    assert min(left) > GREAT / 2


async def test_great_runs_take_turns_and_a_later_run_of_a_venue_waits_for_its_elder(
    world: World,
) -> None:
    for number in (1, 2, 3):
        await venue(world, number, 2 * ACCOUNTS_PER_STEP + 1)
    for number in (1, 2, 3):
        await world.command(asked(number=number, send=False))
    await world.command(asked("second", number=1, send=False))
    turns = []
    runner = world.bench.runner([RUN])
    while (work := await runner.claim(RUN)) is not None:
        turns.append(work.job.ref)
        await runner.work(work, RUN)
    assert turns == [
        *("1/july/1", "2/july/1", "3/july/1") * 2,
        *("1/july/1", "1/second/1", "2/july/1", "3/july/1"),  # it was asked before their last turn
    ]
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["ok"]  # type: ignore[arg-type]


async def test_accounts_with_many_lines_go_in_smaller_steps(world: World) -> None:
    """Goal: a step's length does not grow with what its accounts sold."""
    await venue(world, 1, 5)
    sold = [sale(f"{n:04}", *[BEER] * 400, number=1) for n in (1, 2) for _ in range(5)]
    await world.sell(*sold)
    told = await world.run("run", number=1, send=False)
    assert [p["done"] for p in said(told, "run.progressed")] == [0, 3, 5]
    assert said(told, "run.completed")[0]["issued"] == 5


async def test_after_a_failure_accounts_go_alone_for_a_while_and_then_together_again(
    world: World,
) -> None:
    """One bad account costs itself, and not the speed of the thousand that follow."""
    await venue(world, 1, 4 * ACCOUNTS_PER_STEP)
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE sale_line SET vat_rate = 'odd' WHERE account = '0005'")
    await world.command(asked(number=1, send=False))
    runner = world.bench.runner([RUN])
    steps = 0
    while not said(world.bench.published.answers, "run.completed"):
        work: Work | None = await runner.claim(RUN)
        assert work is not None
        await runner.work(work, RUN)
        steps += 1
        await world.bench.make_due("run")
    (completed,) = said(world.bench.published.answers, "run.completed")
    assert completed["skipped"] == [{"account": "0005", "reason": "not_processed"}]
    assert completed["issued"] == 4 * ACCOUNTS_PER_STEP - 1
    assert steps < 2 * ACCOUNTS_PER_STEP


async def test_a_run_that_can_not_be_completed_says_so_for_good_for_its_numbers_stand(
    world: World,
) -> None:
    """Method: what its first invoices say of VAT can't be summed."""
    await venue(world, 1, ACCOUNTS_PER_STEP + 1)
    await world.command(asked(number=1, send=False))
    runner = world.bench.runner([RUN])
    while (work := await runner.claim(RUN)) is not None:
        await runner.work(work, RUN)
        await world.fetch('UPDATE invoice SET vat = \'[{"rate": "odd"}]\'')
        await world.bench.make_due("run")
    (refused,) = [a for a in world.bench.published.answers if said([a])[0].get("reason")]
    assert said([refused])[0]["reason"] == "not_processed"
    assert await world.command(asked(number=1, send=False)) == [refused]
    assert await runner.claim(RUN) is None


async def test_what_the_venue_loses_in_the_middle_of_a_run_ends_its_numbers_and_is_said(
    world: World,
) -> None:
    """Goal: no number without what an invoice needs. Method: settings change between steps."""
    await venue(world, 1, 3 * ACCOUNTS_PER_STEP)
    await world.command(asked(number=1, send=False))
    runner = world.bench.runner([RUN])

    async def step() -> None:
        work: Work | None = await runner.claim(RUN)
        assert work is not None
        await runner.work(work, RUN)
        await world.bench.make_due("run")

    await step()  # begins, and bills the first twenty
    await world.registry(environment(1, version=2, iban=None, chamber_number=None))
    await step()
    await world.registry(environment(1, version=3))
    await step()
    (completed,) = said(world.bench.published.answers, "run.completed")
    lost = [f"{n:04}" for n in range(ACCOUNTS_PER_STEP, 2 * ACCOUNTS_PER_STEP)]
    assert completed["skipped"] == [
        {"account": name, "reason": "environment_incomplete"} for name in lost
    ]
    assert {one["why"] for one in completed["open"]} == {"environment_incomplete"}
    assert len(completed["open"]) == ACCOUNTS_PER_STEP
    assert completed["issued"] == 2 * ACCOUNTS_PER_STEP
    again = await world.run("run", number=1, run_id="again", send=False)
    assert said(again, "run.completed")[0]["issued"] == ACCOUNTS_PER_STEP
    async with world.bench.database.connection() as connection:
        assert (await audit(connection, 1))["ok"]  # type: ignore[arg-type]


async def test_numbers_that_a_changed_format_would_repeat_are_given_by_no_run_under_way(
    world: World,
) -> None:
    await venue(world, 1, 2 * ACCOUNTS_PER_STEP)
    before = "{year}-{seq:05}5"  # the first is written as the fifteenth will be
    await world.registry(environment(1, version=2, number_format=before, credit_note_format=before))
    await world.command(asked(number=1, send=False))
    runner = world.bench.runner([RUN])
    work: Work | None = await runner.claim(RUN)
    assert work is not None
    await runner.work(work, RUN)
    other = "{year}-{seq:06}"
    await world.registry(environment(1, version=3, number_format=other, credit_note_format=other))
    await world.bench.make_due("run")
    told = await world.jobs("run")
    (completed,) = said(told, "run.completed")
    assert {one["reason"] for one in completed["skipped"]} == {"number_taken"}
    assert completed["issued"] == ACCOUNTS_PER_STEP
