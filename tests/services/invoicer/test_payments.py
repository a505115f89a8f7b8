"""Money that comes in: partly, too much, twice, by number, for a credited invoice."""

from typing import Any

from schemas.invoices import InvoiceDelete, PaymentRecord
from tests.services.invoicer.world import BEER, ENV, JULY, World, new_id, nth, said, sale, types


def payment(amount: int, **changes: Any) -> PaymentRecord:
    values = {"payment_id": new_id(), "environment": ENV, "at": JULY, "by": "f", "method": "bank"}
    return PaymentRecord(amount=amount, **{**values, **changes})


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
    await world.command(
        InvoiceDelete(
            command_id=new_id(),
            environment=ENV,
            invoice_id=issued["invoice_id"],
            at=JULY,
            by="f",
        )
    )
    told = await world.command(payment(700, number=issued["number"]))
    assert types(told) == ["payment.received", "command.applied"]
    assert said(told)[0]["open"] == -700


async def test_somebody_elses_number_and_a_draft_are_refused(world: World) -> None:
    await invoiced(world)
    (refused,) = said(await world.command(payment(1, number=nth(99999))))
    assert refused["reason"] == "invoice_unknown"
    (refused,) = said(await world.command(payment(1, number=nth(1), environment=3)))
    assert refused["reason"] == "invoice_unknown"
    await world.sell(sale("A1"))
    (draft,) = said(await world.run(run_id="d", mode="draft"), "invoice.drafted")
    (refused,) = said(await world.command(payment(1, invoice_id=draft["invoice_id"])))
    assert refused["reason"] == "not_issued"
