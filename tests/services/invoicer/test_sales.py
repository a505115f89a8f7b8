"""Decisions in any order, any number of times, leave the same due."""

import asyncio
import itertools

from services.invoicer.handlers import sales
from services.invoicer.verify import audit
from tests.services.invoicer.world import BEER, ENV, LUNCH, World, asked, nth, reversal, said, sale


async def due(world: World) -> list[tuple[str, int]]:
    rows = await world.fetch(
        "SELECT sale_id::text, sum(due)::bigint AS due FROM sale_line GROUP BY 1 ORDER BY 1"
    )
    return [(r["sale_id"], r["due"]) for r in rows]


async def test_any_order_and_repetition_gives_the_same_due(world: World) -> None:
    wanted = None
    for order in itertools.permutations(range(3)):
        sold = sale("A1", BEER, LUNCH)
        messages = [sold, reversal(sold, 200), reversal(sold, 100)]
        for i in order:
            await world.sell(messages[i], messages[i])
        await world.sell(*messages)
        mine = dict(await due(world))[sold.sale_id]
        assert wanted in (None, mine)
        wanted = mine
    assert wanted == 1950 - 300


async def test_a_reversal_waits_for_its_sale(world: World) -> None:
    sold = sale("A1")
    await world.sell(reversal(sold))
    assert await due(world) == []
    await world.sell(sold)
    assert await due(world) == [(sold.sale_id, 0)]


async def test_a_cancellation_of_nothing_leaves_nothing(world: World) -> None:
    sold = sale("A1")
    await world.sell(reversal(sold, amount=0, lines=()))
    assert await due(world) == []


async def test_one_that_came_on_another_account_takes_nothing_back_of_what_another_worker_does(
    world: World,
) -> None:
    """A till called the sale off on A1, before it was made on A2. That account's lock is not ours:
    at the same moment its sale is taken back."""
    sold = sale("A2")
    await world.sell(sold)
    early = reversal(sold, amount=0, lines=(), account="A1")
    async with world.bench.transaction() as tx:
        taken_back = world.bench.incoming(reversal(sold), topic="pos.decisions")
        await sales.handle([taken_back], tx)
        ours = asyncio.create_task(world.sell(early))
        await asyncio.wait([ours], timeout=0.5)
    await ours
    assert await due(world) == [(sold.sale_id, 0)]
    assert await world.fetch("SELECT FROM reversal WHERE NOT applied") == []


async def test_a_cancelled_sale_with_a_discount_never_appears(world: World) -> None:
    await world.guests("A1")
    gone = sale("A1", BEER, ("Korting", "1", -200, "9"))
    await world.sell(gone, reversal(gone), sale("A1", LUNCH))
    (issued,) = said(await world.run(), "invoice.issued")
    assert issued["total"] == 1250
    assert [s["sale_id"] for s in issued["sales"]] != [gone.sale_id]


async def test_a_sale_reversed_after_its_invoice_becomes_a_credit_note_once(world: World) -> None:
    await world.guests("A1")
    first, second = sale("A1", BEER), sale("A1", LUNCH)
    await world.sell(first, second)
    (issued,) = said(await world.run(), "invoice.issued")
    await world.sell(reversal(first))
    told = await world.run(run_id="again")
    (credit,) = said(told, "credit_note.issued")
    assert (credit["invoice_id"], credit["total"], credit["frees"]) == (
        issued["invoice_id"],
        700,
        False,
    )
    assert credit["number"] == nth(2)
    assert credit["sales"] == [{"sale_id": first.sale_id, "amount": 700}]
    assert said(told, "invoice.issued") == []
    told = await world.run(run_id="once more")
    assert said(told, "credit_note.issued") == []
    await world.sell(reversal(second))
    told = await world.run(run_id="and the rest")
    assert said(told, "credit_note.issued")[0]["total"] == 1250
    states = said(world.bench.published.answers, "invoice.state")
    assert states[-1]["status"] == "credited"
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["problems"] == []  # type: ignore[arg-type]


async def test_a_partial_reversal_before_the_run_bills_the_rest(world: World) -> None:
    await world.guests("A1")
    sold = sale("A1", BEER)
    await world.sell(sold, reversal(sold, 250))
    told = await world.command(asked())
    assert told == []
    (issued,) = said(await world.jobs(), "invoice.issued")
    assert issued["total"] == 450
    assert issued["environment"] == ENV
