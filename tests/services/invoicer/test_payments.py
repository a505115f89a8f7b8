"""Money that comes in: partly, too much, twice, by number, for a credited one; and goes back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.commands import MOST_AHEAD
from schemas.invoices import InvoiceDelete, PaymentRecord, PaymentRefund
from services.invoicer.handlers import payments
from services.invoicer.store import invoices, registry
from services.invoicer.verify import audit
from tests.services.invoicer.world import BEER, ENV, JULY, World, new_id, nth, said, sale, types


def payment(amount: int, **changes: Any) -> PaymentRecord:
    values = {"payment_id": new_id(), "environment": ENV, "at": JULY, "by": "f", "method": "bank"}
    return PaymentRecord(amount=amount, **{**values, **changes})


def refund(amount: int, **changes: Any) -> PaymentRefund:
    values = {"refund_id": new_id(), "environment": ENV, "at": JULY, "by": "f", "method": "bank"}
    return PaymentRefund(amount=amount, **{**values, **changes})


def deletion(invoice_id: str) -> InvoiceDelete:
    values = {"command_id": new_id(), "environment": ENV, "at": JULY, "by": "f"}
    return InvoiceDelete(invoice_id=invoice_id, **values)


async def invoiced(world: World) -> dict[str, Any]:
    await world.guests("A1")
    await world.sell(sale("A1", BEER))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    return issued


async def test_parts_add_up_to_paid_and_more_is_kept(world: World) -> None:
    issued = await invoiced(world)
    told = await world.command(payment(300, invoice_id=issued["invoice_id"]))
    assert types(told) == ["payment.received", "command.applied"]
    assert said(told)[0]["open"] == 400
    told = await world.command(payment(400, number=issued["number"]))
    assert types(told) == ["payment.received", "invoice.paid", "command.applied"]
    told = await world.command(payment(50, number=issued["number"]))
    assert types(told) == ["payment.received", "command.applied"]
    assert said(told)[0]["open"] == -50
    state = said(world.bench.published.answers, "invoice.state")[-1]
    assert (state["status"], state["paid"]) == ("paid", 750)


async def test_an_invoice_of_which_the_batch_did_not_know_is_changed_under_its_accounts_lock_too(
    world: World,
) -> None:
    """Goal: two payments never overwrite one another. Method: the invoice was committed after each
    batch had locked the accounts that it knew of, so that neither has this one's when it decides.
    """
    one = (await invoiced(world))["invoice_id"]

    async def pay(amount: int) -> None:
        async with world.bench.transaction() as tx:
            await payments.record(payment(amount, invoice_id=one), tx)

    async with world.bench.transaction() as tx:
        await payments.record(payment(300, invoice_id=one), tx)
        second = asyncio.create_task(pay(200))
        done, _ = await asyncio.wait([second], timeout=0.5)
        assert not done
    await second
    async with world.bench.transaction() as tx:
        await registry.lock_accounts(tx, [(ENV, "A1")])
        third = asyncio.create_task(pay(100))
        done, _ = await asyncio.wait([third], timeout=0.2)
        assert not done
    await third
    ((paid,),) = await world.fetch("SELECT paid FROM invoice")
    assert paid == 600


async def test_a_part_that_is_paid_while_its_mail_is_noted_leaves_it_sent(world: World) -> None:
    issued = await invoiced(world)
    one = issued["invoice_id"]
    async with world.bench.transaction() as tx:
        await invoices.mailed(tx, ENV, [one], "sent", ("issued", "undeliverable"))
        paying = asyncio.create_task(world.command(payment(300, invoice_id=one)))
        await asyncio.wait([paying], timeout=0.5)
    await paying
    state = said(world.bench.published.answers, "invoice.state")[-1]
    assert (state["status"], state["paid"]) == ("sent", 300)


async def test_the_same_payment_is_taken_once_and_answered_the_same(world: World) -> None:
    issued = await invoiced(world)
    paid = payment(300, invoice_id=issued["invoice_id"])
    told = await world.command(paid, paid)
    assert told[:2] == told[2:]
    other = PaymentRecord(**{**paid.model_dump(), "amount": 301})
    (refused,) = said(await world.command(other))
    assert refused["reason"] == "payment_id_reused"
    rows = await world.fetch("SELECT sum(amount)::int AS paid FROM payment")
    assert rows[0]["paid"] == 300


async def test_a_credited_invoice_still_takes_the_money_that_came(world: World) -> None:
    issued = await invoiced(world)
    await world.command(deletion(issued["invoice_id"]))
    told = await world.command(payment(700, number=issued["number"]))
    assert types(told) == ["payment.received", "command.applied"]
    assert said(told)[0]["open"] == -700


async def test_somebody_elses_number_and_a_draft_are_refused(world: World) -> None:
    await invoiced(world)
    for message in (payment(1, number=nth(99999)), refund(1, number=nth(99999))):
        (refused,) = said(await world.command(message))
        assert refused["reason"] == "invoice_unknown"
    (refused,) = said(await world.command(payment(1, number=nth(1), environment=3)))
    assert refused["reason"] == "invoice_unknown"
    await world.sell(sale("A1"))
    (draft,) = said(await world.run(run_id="d", mode="draft"), "invoice.drafted")
    (refused,) = said(await world.command(payment(1, invoice_id=draft["invoice_id"])))
    assert refused["reason"] == "not_issued"


async def test_what_came_too_much_goes_back_once_and_no_more_than_that(world: World) -> None:
    number = (await invoiced(world))["number"]
    (refused,) = said(await world.command(refund(1, number=number)))
    assert (refused["reason"], refused["field"]) == ("nothing_to_refund", "amount")
    await world.command(payment(1000, number=number))
    (refused,) = said(await world.command(refund(301, number=number)))
    assert refused["reason"] == "exceeds_overpayment"
    assert "Of this invoice €3.00 was paid too much" in refused["message"]
    first = refund(100, number=number)
    told = await world.command(first)
    assert types(told) == ["payment.refunded", "command.applied"]
    assert (said(told)[0]["amount"], said(told)[0]["open"]) == (100, -200)
    assert said(told)[0]["method"] == "bank"
    assert await world.command(first, first) == told * 2
    told = await world.command(refund(200, number=number), refund(200, number=number))
    assert types(told) == ["payment.refunded", "command.applied", "command.refused"]
    state = said(world.bench.published.answers, "invoice.state")[-1]
    assert (state["status"], state["paid"]) == ("paid", 700)
    assert [r["amount"] for r in await world.fetch("SELECT amount FROM payment ORDER BY 1")] == [
        -200, -100, 1000,
    ]  # fmt: skip
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["ok"]  # type: ignore[arg-type]


async def test_a_paid_invoice_that_was_credited_gives_all_of_it_back(world: World) -> None:
    issued = await invoiced(world)
    await world.command(
        payment(700, number=issued["number"]),
        deletion(issued["invoice_id"]),
        refund(700, invoice_id=issued["invoice_id"]),
    )
    state = said(world.bench.published.answers, "invoice.state")[-1]
    assert (state["status"], state["paid"], state["credited"]) == ("credited", 0, 700)
    (refused,) = said(await world.command(refund(1, number=issued["number"])))
    assert refused["reason"] == "nothing_to_refund"


async def test_no_refund_and_payment_share_an_id(world: World) -> None:
    """The ledger knows both by it, as one kind of entry."""
    number = (await invoiced(world))["number"]
    paid = payment(1000, number=number)
    await world.command(paid)
    (refused,) = said(await world.command(refund(300, number=number, refund_id=paid.payment_id)))
    assert refused["reason"] == "refund_id_reused"
    back = refund(300, number=number)
    await world.command(back)
    (refused,) = said(await world.command(payment(300, number=number, payment_id=back.refund_id)))
    assert refused["reason"] == "payment_id_reused"


async def test_a_payment_is_undone_in_part_and_in_whole_and_the_invoice_is_open_again(
    world: World,
) -> None:
    issued = await invoiced(world)
    number, wrong = issued["number"], payment(700, number=issued["number"])
    first = await world.command(wrong)
    back = refund(300, number=number, reverses=wrong.payment_id)
    told = await world.command(back)
    assert types(told) == ["payment.refunded", "command.applied"]
    assert (said(told)[0]["open"], said(told)[0]["reverses"]) == (300, wrong.payment_id)
    assert await world.command(back) == told
    state = said(world.bench.published.answers, "invoice.state")[-1]
    assert (state["status"], state["paid"]) == ("issued", 400)
    (refused,) = said(await world.command(refund(401, number=number, reverses=wrong.payment_id)))
    assert (refused["reason"], refused["field"]) == ("exceeds_payment", "amount")
    await world.command(refund(400, number=number, reverses=wrong.payment_id))
    (refused,) = said(await world.command(refund(1, number=number, reverses=wrong.payment_id)))
    assert refused["reason"] == "exceeds_payment"
    paid_again = await world.command(payment(700, number=number))
    assert types(paid_again) == ["payment.received", "invoice.paid", "command.applied"]
    assert len({a.id for a in (*first, *paid_again) if a.type == "invoice.paid"}) == 2
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["ok"]  # type: ignore[arg-type]


async def test_an_invoice_that_nobody_could_be_mailed_is_undeliverable_again_when_it_is_unpaid(
    world: World,
) -> None:
    await world.guests("A1", email=None)
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=True), "invoice.issued")
    paid = payment(700, number=issued["number"])
    await world.command(paid)
    await world.command(refund(700, number=issued["number"], reverses=paid.payment_id))
    assert [tuple(row) for row in await world.fetch("SELECT paid, status FROM invoice")] == [
        (0, "undeliverable")
    ]


async def test_no_more_goes_back_than_is_there_whichever_way_it_is_asked_for(world: World) -> None:
    """Part of a payment was paid back as too much: only the rest of it can be undone."""
    number = (await invoiced(world))["number"]
    paid = payment(1000, number=number)
    await world.command(paid, refund(300, number=number))
    (refused,) = said(await world.command(refund(701, number=number, reverses=paid.payment_id)))
    assert refused["reason"] == "exceeds_payment"
    assert "Of that payment €7.00 is left" in refused["message"]
    await world.command(refund(700, number=number, reverses=paid.payment_id))
    (row,) = await world.fetch("SELECT paid, status FROM invoice")
    assert tuple(row) == (0, "issued")


async def test_what_is_no_payment_of_this_invoice_is_not_undone(world: World) -> None:
    number = (await invoiced(world))["number"]
    paid = payment(1000, number=number)
    back = refund(100, number=number)
    await world.command(paid, back)
    await world.sell(sale("A1"))
    (other,) = said(await world.run("run", run_id="b", send=False), "invoice.issued")
    for changes in (
        {"number": other["number"], "reverses": paid.payment_id},
        {"number": number, "reverses": back.refund_id},
        {"number": number, "reverses": new_id()},
    ):
        (refused,) = said(await world.command(refund(1, **changes)))
        assert (refused["reason"], refused["field"]) == ("payment_unknown", "reverses")


async def test_an_undone_payment_leaves_the_invoice_as_its_mail_ended(world: World) -> None:
    await world.guests("A1", email="a@club.nl")
    await world.sell(sale("A1", BEER))
    (issued,) = said(await world.run("run"), "invoice.issued")
    for mail, status in (
        ("sent', message_id = 'm", "sent"),
        ("failed', message_id = NULL, said = 'no", "undeliverable"),
    ):
        await world.fetch(f"UPDATE mail SET state = '{mail}', ended_at = now()")
        paid = payment(700, number=issued["number"])
        back = refund(700, number=issued["number"], reverses=paid.payment_id)
        await world.command(paid, back)
        (row,) = await world.fetch("SELECT status, paid FROM invoice")
        assert tuple(row) == (status, 0)


async def test_money_can_not_have_moved_in_the_future(world: World) -> None:
    number = (await invoiced(world))["number"]
    now = datetime(2026, 7, 31, 12, tzinfo=UTC)
    ahead = {"at": now + MOST_AHEAD + timedelta(seconds=1), "number": number}
    for message in (payment(700, **ahead), refund(700, **ahead)):
        (answer,) = refused = await world.command(message, at=now)
        (told,) = said(refused)
        assert (told["type"], told["reason"], told["field"]) == ("command.refused", "invalid", "at")
        assert told["message"].startswith("at lies more than a year ahead")
        assert await world.command(message, at=now) == [answer]
    assert await world.fetch("SELECT FROM payment") == []


async def test_a_payment_may_lie_somewhat_ahead_and_a_refused_one_keeps_its_id(
    world: World,
) -> None:
    number = (await invoiced(world))["number"]
    now = datetime(2026, 7, 31, 12, tzinfo=UTC)
    first = payment(700, number=number, at=now + 2 * MOST_AHEAD)
    assert said(await world.command(first, at=now))[0]["reason"] == "invalid"
    mended = first.model_copy(update={"at": now + MOST_AHEAD})
    taken = await world.command(mended, at=now)
    assert types(taken) == ["payment.received", "invoice.paid", "command.applied"]
    # What was taken before is answered as it was, whatever a repetition says of when.
    assert await world.command(first, at=now) == taken
