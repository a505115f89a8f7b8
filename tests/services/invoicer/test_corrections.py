"""Corrections: credit note and new invoice at once; sales left out or moved by messages."""

import time
from datetime import UTC, datetime
from typing import Any

from schemas.commands import MAX_CHANGES, CommandApplied
from schemas.invoices import InvoiceCorrect, InvoiceSend
from schemas.pos import ReversedLine, SaleReversalRefused
from schemas.wire import decode
from services.invoicer.domain import MAX_SALES
from services.invoicer.handlers.corrections import parted
from services.invoicer.replies import change
from services.invoicer.verify import audit
from tests.services.invoicer.world import (
    BEER,
    ENV,
    JULY,
    LUNCH,
    World,
    account,
    environment,
    new_id,
    nth,
    reversal,
    said,
    sale,
    types,
)


def correct(invoice_id: str, **changes: Any) -> InvoiceCorrect:
    values = {"command_id": new_id(), "environment": ENV, "at": JULY, "by": "f", "reason": "wrong"}
    return InvoiceCorrect(invoice_id=invoice_id, **{**values, **changes})


async def invoiced(world: World, *sales: Any) -> str:
    await world.guests("A1", "A2")
    await world.sell(*sales)
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    return str(issued["invoice_id"])


async def in_order(world: World) -> None:
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["problems"] == []  # type: ignore[arg-type]


async def test_a_correction_without_more_makes_the_invoice_again(world: World) -> None:
    invoice = await invoiced(world, sale("A1", BEER, LUNCH))
    told = await world.command(correct(invoice))
    assert types(told) == ["credit_note.issued", "invoice.issued", "command.applied"]
    note, again = said(told)[:2]
    assert (note["total"], again["total"], note["reason"]) == (1950, 1950, "wrong")
    assert (note["number"], again["number"]) == (nth(2), nth(3))
    await in_order(world)


async def test_a_correction_keeps_to_its_month_where_the_time_zone_changed_since(
    world: World,
) -> None:
    """What is of another month by now waits for the next run, as if it had never been billed."""
    night = sale("A1", BEER, at=datetime(2026, 6, 30, 22, 30, tzinfo=UTC))  # July in Amsterdam
    invoice = await invoiced(world, night, sale("A1", LUNCH))
    await world.registry(environment(version=2, time_zone="UTC"))
    (again,) = said(await world.command(correct(invoice)), "invoice.issued")
    assert (again["period"], again["total"]) == ("2026-07", 1250)
    (rest,) = said(await world.run("run", run_id="b", send=False), "invoice.issued")
    assert (rest["period"], rest["total"]) == ("2026-06", 700)
    await in_order(world)


async def test_sales_that_are_left_out_are_cancelled_and_never_billed_again(world: World) -> None:
    keep, drop = sale("A1", BEER), sale("A1", LUNCH)
    invoice = await invoiced(world, keep, drop)
    command = correct(invoice, exclude_sales=(drop.sale_id,))
    told = await world.command(command)
    assert types(told) == [
        "credit_note.issued",
        "invoice.issued",
        "sale.cancelled",
        "command.applied",
    ]
    assert said(told)[1]["sales"] == [{"sale_id": keep.sale_id, "amount": 700}]
    assert await world.command(command) == told
    (run,) = said(await world.run(run_id="b"), "run.completed")
    assert (run["issued"], run["open"]) == (0, [{"account": "A1", "amount": 1250, "why": "held"}])
    cancelled = said(told)[2]
    await world.sell(reversal(drop, cancellation_id=cancelled["cancellation_id"]))
    (run,) = said(await world.run(run_id="c"), "run.completed")
    assert (run["issued"], run["open"]) == (0, [])
    await in_order(world)


async def test_moved_sales_are_recorded_on_the_other_account_when_they_came_back(
    world: World,
) -> None:
    stay, move = sale("A1", BEER), sale("A1", LUNCH, ("Korting", "1", -250, "9"))
    invoice = await invoiced(world, stay, move)
    told = await world.command(correct(invoice, exclude_sales=(move.sale_id,), account="A2"))
    cancelled = said(told, "sale.cancelled")[0]
    back = reversal(move, cancellation_id=cancelled["cancellation_id"])
    answers = await world.sell(back)
    (recorded,) = answers
    assert (recorded.topic, recorded.key) == ("pos.sales", f"{ENV}:A2")
    message = decode("pos.sales", recorded.value)
    assert message.moved_from == move.sale_id  # type: ignore[union-attr]
    assert message.total == 1000  # type: ignore[union-attr]
    assert [line.total for line in message.lines] == [1250, -250]  # type: ignore[union-attr]
    assert await world.sell(back, back) == answers
    await in_order(world)


async def test_a_swap_is_moved_and_its_money_between_rates_with_it(world: World) -> None:
    swap = sale("A1", ("Wijn", "1", 500, "21"), ("Ruil", "-1", 500, "9"))
    invoice = await invoiced(world, sale("A1", BEER), swap)
    told = await world.command(correct(invoice, exclude_sales=(swap.sale_id,), account="A2"))
    cancelled = said(told, "sale.cancelled")[0]
    lines = tuple(
        ReversedLine(description=x.description, vat_rate=x.vat_rate, total=x.total)
        for x in swap.lines
    )
    back = reversal(swap, cancellation_id=cancelled["cancellation_id"], lines=lines)
    (recorded,) = said(await world.sell(back), "sale.recorded")
    assert (recorded["account"], recorded["total"]) == ("A2", 0)
    assert [(x["vat_rate"], x["total"]) for x in recorded["lines"]] == [("21", 500), ("9", -500)]
    assert (
        await world.fetch("SELECT FROM sale_line WHERE sale_id = $1 AND due <> 0", swap.sale_id)
        == []
    )
    await in_order(world)


async def test_a_part_that_was_taken_back_before_is_not_moved(world: World) -> None:
    move = sale("A1", BEER)
    invoice = await invoiced(world, move)
    await world.sell(reversal(move, 100))
    told = await world.command(correct(invoice, account="A2"))
    assert types(told) == ["credit_note.issued", "sale.cancelled", "command.applied"]
    cancelled = said(told, "sale.cancelled")[0]
    (recorded,) = await world.sell(
        reversal(move, 600, cancellation_id=cancelled["cancellation_id"])
    )
    message = said([recorded])[0]
    assert (message["total"], message["lines"][0]["quantity"]) == (600, "1")


async def test_what_is_left_of_a_sale_is_moved_by_piece_where_that_gives_its_amount(
    world: World,
) -> None:
    move = sale("A1", ("Bier", "3", 350, "21"), ("Wijn", "2", 300, "21"))
    invoice = await invoiced(world, move)
    await world.sell(reversal(move, 350))
    told = await world.command(correct(invoice, account="A2"))
    left = tuple(
        ReversedLine(description=what, vat_rate="21", total=total, quantity="2", unit_price=price)
        for what, price, total in (("Bier", 350, 700), ("Wijn", 300, 500))
    )
    back = reversal(
        move, 1200, lines=left, cancellation_id=said(told, "sale.cancelled")[0]["cancellation_id"]
    )
    (recorded,) = said(await world.sell(back))
    assert [(x["quantity"], x["unit_price"], x["total"]) for x in recorded["lines"]] == [
        ("2", 350, 700), ("1", 500, 500),
    ]  # fmt: skip


async def test_a_refused_cancellation_lets_the_sale_be_billed_again(world: World) -> None:
    move = sale("A1", BEER)
    invoice = await invoiced(world, move)
    told = await world.command(correct(invoice, account="A2"))
    cancelled = said(told, "sale.cancelled")[0]
    await world.sell(
        SaleReversalRefused(
            cancellation_id=cancelled["cancellation_id"],
            sale_id=move.sale_id,
            environment=ENV,
            terminal="till-1",
            account="A1",
            at=JULY,
            decided_at=JULY,
            reason="sale_unknown",  # type: ignore[arg-type]
        )
    )
    (issued,) = said(await world.run(run_id="b"), "invoice.issued")
    assert issued["total"] == 700


async def test_all_sales_can_be_moved_off_an_account_that_nobody_holds_any_more(
    world: World,
) -> None:
    move = sale("A1", BEER)
    invoice = await invoiced(world, move)
    await world.registry(account("A1", None, version=2))
    (refused,) = said(await world.command(correct(invoice)))
    assert refused["reason"] == "no_holder"
    told = await world.command(correct(invoice, account="A2", exclude_sales=(move.sale_id,) * 2))
    assert types(told) == ["credit_note.issued", "sale.cancelled", "command.applied"]


async def test_what_cannot_be_corrected_is_refused_and_changes_nothing(world: World) -> None:
    invoice = await invoiced(world, sale("A1"))
    await world.sell(sale("unseen"))  # of which the registry told nothing
    for changes, reason in (
        ({"account": "A1"}, "same_account"),
        ({"account": "nowhere"}, "account_unknown"),
        ({"account": "A2", "exclude_sales": ()}, "sales_missing"),
        ({"account": "unseen"}, "account_unknown"),
        ({"exclude_sales": (new_id(),)}, "sale_not_on_invoice"),
        ({"environment": 7}, "invoice_unknown"),
    ):
        (refused,) = said(await world.command(correct(invoice, **changes)))
        assert (refused["type"], refused["reason"]) == ("command.refused", reason)
    await world.registry(environment(version=2, iban=None))
    (refused,) = said(await world.command(correct(invoice)))
    assert refused["reason"] == "environment_incomplete"
    assert len(await world.fetch("SELECT FROM number")) == 1
    await world.registry(environment(version=3))
    await world.command(correct(invoice))
    (refused,) = said(await world.command(correct(invoice)))
    assert refused["reason"] == "invoice_credited"


def test_the_largest_invoice_is_parted_in_no_time_and_its_answer_names_all_that_moves() -> None:
    """What takes longer than a transaction may idle is begun again and again."""
    its = [f"{n:08}-0000-4000-8000-000000000000" for n in range(MAX_SALES)]
    began = time.process_time()
    assert parted(its, correct(its[0], account="A2")) == (its, [], [])
    half = correct(its[0], exclude_sales=tuple(its[::2]))
    assert parted(its, half) == (its[::2], its[1::2], [])
    assert time.process_time() - began < 1
    changes = tuple(change(one) for one in ("the invoice", "its credit note", *its))
    assert len(changes) == MAX_CHANGES
    CommandApplied(command_id=new_id(), environment=ENV, changes=changes)


async def test_of_sales_that_are_not_on_the_invoice_one_is_named(world: World) -> None:
    invoice = await invoiced(world, sale("A1"))
    strange = (new_id(), new_id(), new_id())
    (refused,) = said(await world.command(correct(invoice, exclude_sales=strange)))
    assert refused["message"] == (
        f"Sale {strange[0]} does not stand on this invoice, nor do 2 more of those named."
    )
    (refused,) = said(await world.command(correct(invoice, exclude_sales=strange[:1])))
    assert refused["message"] == f"Sale {strange[0]} does not stand on this invoice."


async def test_where_what_is_kept_comes_to_nothing_no_invoice_is_made_of_it(world: World) -> None:
    sold, drop = sale("A1", BEER), sale("A1", LUNCH)
    swap = sale("A1", ("Wijn", "1", 500, "21"), ("Ruil", "-1", 500, "9"))
    ended = ["credit_note.issued", "sale.cancelled", "command.applied"]
    invoice = await invoiced(world, drop, swap)
    assert types(await world.command(correct(invoice, exclude_sales=(drop.sale_id,)))) == ended
    await world.sell(sold, last := sale("A1", LUNCH, at=JULY.replace(month=6)))
    both = said(await world.run("run", run_id="b", send=False), "invoice.issued")
    assert [one["total"] for one in both] == [1250, 700]
    await world.sell(reversal(last), again := sale("A1", BEER, at=last.at))
    assert again.at == last.at
    told = await world.command(correct(both[0]["invoice_id"]))
    assert types(told) == ["credit_note.issued", "command.applied"]
    await world.sell(sale("A1", ("Snoep", "1", 1, "9"), at=JULY.replace(month=5)))
    cent = said(await world.run("run", run_id="c", send=False), "invoice.issued")[0]
    told = await world.command(correct(cent["invoice_id"]))  # of a cent there is one
    assert said(told, "invoice.issued")[0]["total"] == 1


async def test_a_corrected_invoice_is_mailed_where_its_forerunner_was_or_was_to_be(
    world: World,
) -> None:
    async def sends(invoice_id: str) -> bool:
        (new,) = said(await world.command(correct(invoice_id)), "invoice.issued")
        (row,) = await world.fetch("SELECT send FROM invoice WHERE number = $1", new["number"])
        return bool(row["send"])

    invoice = await invoiced(world, sale("A1"))
    assert not await sends(invoice)
    (last,) = await world.fetch("SELECT invoice_id::text FROM invoice WHERE status = 'issued'")
    send = InvoiceSend(
        command_id=new_id(), environment=ENV, at=JULY, by="f", invoice_id=last["invoice_id"]
    )
    await world.command(send)
    assert await sends(last["invoice_id"])
    await world.guests("A3", email=None)
    await world.sell(sale("A3"))
    (unsent,) = said(await world.run("run", run_id="c", send=True), "invoice.issued")
    assert await sends(unsent["invoice_id"])
