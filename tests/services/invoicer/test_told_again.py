"""invoices.republish: what was told of money is told once more, as it was, and nothing else."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate

import pytest

from runtime.answers import Answer
from schemas.invoices import InvoicesRepublish
from services.invoicer.jobs import republish
from services.invoicer.store.invoices import read_states
from services.invoicer.store.republish import Most, credit_notes, invoices
from tests.services.invoicer.test_corrections import correct, invoiced
from tests.services.invoicer.test_payments import payment, refund
from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    World,
    new_id,
    reversal,
    said,
    sale,
    types,
)

MONEY = {"invoice.issued", "credit_note.issued", "payment.received", "payment.refunded"}


def again(environment: int = ENV) -> InvoicesRepublish:
    return InvoicesRepublish(
        command_id=new_id(), environment=environment, at=datetime.now(UTC), by="anna"
    )


def of_money(answers: Iterable[Answer]) -> dict[str, tuple[str, str, str, bytes]]:
    return {a.id: (a.topic, a.key, a.type, a.value) for a in answers if a.type in MONEY}


async def a_month(world: World) -> list[Answer]:
    """A run's invoices and its credit note, what commands made of them, payments, and a draft."""
    await world.guests("A1", "A2", "A3")
    returned = sale("A2", BEER, LUNCH)
    await world.sell(sale("A1", BEER, LUNCH), sale("A1", BEER), returned)
    ran = await world.run("run", send=False)
    first = said(ran, "invoice.issued")
    one, two = (next(i for i in first if i["account"] == a) for a in ("A1", "A2"))
    paid = payment(100, invoice_id=two["invoice_id"])
    ran += await world.command(
        payment(2000, invoice_id=two["invoice_id"]),
        refund(50, invoice_id=two["invoice_id"]),
        paid,
        refund(100, invoice_id=two["invoice_id"], reverses=paid.payment_id, method="storno"),
        correct(one["invoice_id"], reason='"één" te veel'),
    )
    await world.sell(reversal(returned))
    ran += await world.run("run", run_id="july-2", send=False)
    await world.sell(sale("A3", LUNCH))
    return ran + await world.run("run", run_id="july-3", mode="draft", send=False)


@pytest.mark.parametrize("at_once", [Most(documents=1), Most(documents=2), Most(lines=2), Most()])
async def test_all_that_moved_money_is_told_again_in_the_same_bytes_and_nothing_else(
    world: World, at_once: Most
) -> None:
    told = of_money(await a_month(world))
    kinds = [kind for _, _, kind, _ in told.values()]
    assert {kind: kinds.count(kind) for kind in MONEY} == {
        "invoice.issued": 3, "credit_note.issued": 2, "payment.received": 2, "payment.refunded": 2,
    }  # fmt: skip
    states = await stand(world)

    (applied,) = await world.command(again())
    found = await world.bench.run_jobs([republish.kind(at_once)])

    assert (applied.type, said([applied])[0]["changes"]) == ("command.applied", [])
    assert of_money(found) == told
    assert sorted(types(found)) == sorted([*kinds, *["invoice.state"] * 4])
    assert {a.key: a.value for a in found if a.type == "invoice.state"} == states
    assert await stand(world) == states


@pytest.mark.parametrize("of", ["invoice", "credit"])
async def test_a_step_takes_fewer_documents_where_they_are_large(world: World, of: str) -> None:
    await a_month(world)
    read, id_ = (invoices, "invoice_id") if of == "invoice" else (credit_notes, "credit_note_id")
    rows = await world.fetch(
        f"SELECT {id_}::text AS id, count(*) FROM {of}_line GROUP BY {id_} ORDER BY {id_}"
    )
    async with world.bench.transaction() as tx:
        for most in range(1, sum(r["count"] for r in rows) + 2):
            ids, _ = await read(tx, ENV, republish.FIRST, Most(lines=most))
            before = accumulate((r["count"] for r in rows), initial=0)
            assert ids == [r["id"] for r, lines in zip(rows, before, strict=False) if lines < most]
    assert len(rows) > 1


async def stand(world: World) -> dict[str, bytes]:
    """Each invoice as invoices.state has it."""
    keys = [(ENV, r["id"]) for r in await world.fetch("SELECT invoice_id::text AS id FROM invoice")]
    async with world.bench.database.connection() as connection:
        rows = await read_states(connection, keys)
    return {made().key: made().value for _, made in rows.values()}


async def test_the_same_again_is_answered_alike_and_told_once(world: World) -> None:
    await a_month(world)
    asked = again()
    first = await world.command(asked)
    assert await world.jobs("republish") != []
    assert await world.command(asked) == first
    assert await world.jobs("republish") == []


async def test_sales_that_are_being_taken_off_are_asked_back_again_until_they_are(
    world: World,
) -> None:
    """What was asked of the authorizer may be lost with what finance asked (a power cut)."""
    off = sale("A1", LUNCH)
    invoice_id = await invoiced(world, sale("A1", BEER), off)
    corrected = await world.command(correct(invoice_id, exclude_sales=(off.sale_id,)))
    (asked,) = (a for a in corrected if a.topic == "pos.sales")
    await world.command(again())
    found = await world.bench.run_jobs([republish.kind()])
    assert [a for a in found if a.topic == "pos.sales"] == [asked]
    back = said([asked])[0]["cancellation_id"]
    await world.sell(reversal(off, cancellation_id=back))
    await world.command(again())
    found = await world.bench.run_jobs([republish.kind()])
    assert not [a for a in found if a.topic == "pos.sales"]


async def test_an_environment_that_is_not_known_is_refused(world: World) -> None:
    await world.guests("A1")
    (refused,) = said(await world.command(again(4711)))
    assert (refused["type"], refused["reason"]) == ("command.refused", "environment_unknown")
