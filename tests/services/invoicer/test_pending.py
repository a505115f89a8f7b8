"""What is not yet invoiced, and why a given sale is not among it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.invoices import InvoiceCorrect, InvoiceDelete, PendingRequest
from schemas.pending import MOST_LISTED, PendingListed, PendingMail
from schemas.pos import SaleDeclined
from schemas.wire import encode
from services.invoicer.handlers import commands
from services.invoicer.jobs.pending import pieces
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
)

JUNE = JULY.replace(month=6)


def pending(**changes: Any) -> PendingRequest:
    return PendingRequest(**{"request_id": new_id(), "environment": ENV, **changes})


async def listed(world: World, **changes: Any) -> dict[str, Any]:
    await world.command(pending(**changes))
    (found,) = said(await world.jobs("pending"))
    return found


TOLD = ("state", "reason", "numbers", "amount", "moved_to")


async def how(world: World, sale_id: str) -> dict[str, Any]:
    (found,) = (await listed(world, sale_id=sale_id))["sales"]
    return {k: v for k, v in found.items() if k in TOLD}


def declined(sale_id: str, reason: str = "over_limit") -> SaleDeclined:
    return SaleDeclined(
        sale_id=sale_id,
        environment=ENV,
        terminal="till-1",
        account="A1",
        at=JULY,
        decided_at=JULY,
        currency="EUR",
        total=700,
        reason=reason,  # type: ignore[arg-type]
        explanation="Te veel",
    )


async def test_per_account_and_month_it_is_told_what_is_open_and_what_would_stay_so(
    world: World,
) -> None:
    await world.guests("A1", "A2")
    await world.registry(account("A3", None))
    await world.sell(
        sale("A1", BEER), sale("A1", LUNCH), sale("A1", BEER, at=JUNE), sale("A3", BEER)
    )
    found = await listed(world)
    assert (found["type"], found["count"], found["amount"]) == ("pending.listed", 4, 3350)
    assert [tuple(a.values()) for a in found["accounts"]] == [
        ("A1", "2026-06", 1, 700),
        ("A1", "2026-07", 2, 1950),
        ("A3", "2026-07", 1, 700, "no_holder"),
    ]
    assert "lacking" not in found


async def test_a_sale_that_waits_says_why_a_run_would_leave_it(world: World) -> None:
    """By what its month comes to: a cent is billed. Only by hand is a sale of less than nothing
    (test_run.py)."""
    await world.guests("A1", "A2", "A4", "A5")
    await world.registry(account("A3", None))
    returned, more = sale("A2", BEER), sale("A5", BEER)
    waiting = {
        sale("A1", BEER): None,
        sale("A2", BEER): "nothing_to_invoice",
        returned: "nothing_to_invoice",
        sale("A3", BEER): "no_holder",
        sale("A4", ("Snoep", "1", 1, "21")): None,
        more: "negative_total",
        sale("A5", LUNCH, at=JUNE): None,
    }
    await world.sell(*waiting)
    await world.fetch(
        "UPDATE sale_line SET approved = -approved WHERE sale_id = ANY($1::uuid[])",
        [returned.sale_id, more.sale_id],
    )
    for each, why in waiting.items():
        assert (await how(world, each.sale_id)).get("reason") == why
    found = (await listed(world))["accounts"]
    assert {(a["account"], a["period"]): a.get("why") for a in found} == {
        (each.account, f"{each.at:%Y-%m}"): why for each, why in waiting.items()
    }


async def test_what_is_open_stands_in_the_month_in_which_a_run_bills_it(world: World) -> None:
    """PostgreSQL takes CET for an hour beside UTC all year, and Python for a zone with summers."""
    await world.guests("A1")
    await world.registry(environment(version=2, time_zone="CET"))
    night = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    await world.sell(sale("A1", BEER, at=night), sale("A1", LUNCH, at=night.replace(hour=21)))
    found = await listed(world)
    assert [(a["period"], a["amount"]) for a in found["accounts"]] == [
        ("2026-06", 1250),
        ("2026-07", 700),
    ]
    issued = said(await world.run("run", send=False), "invoice.issued")
    assert [(i["period"], i["total"]) for i in issued] == [("2026-06", 1250), ("2026-07", 700)]
    assert "accounts" not in await listed(world)


async def test_what_a_correction_holds_and_what_is_to_be_credited_are_told_apart(
    world: World,
) -> None:
    await world.guests("A1")
    gone, held, kept = sale("A1", BEER), sale("A1", LUNCH), sale("A1", BEER)
    await world.sell(gone, held, kept)
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    correct = InvoiceCorrect(
        command_id=new_id(), environment=ENV, at=JULY, by="f", reason="x",
        invoice_id=issued["invoice_id"], exclude_sales=(held.sale_id,),
    )  # fmt: skip
    await world.command(correct)
    await world.sell(reversal(gone))
    found = await listed(world)
    assert [(a["amount"], a["why"]) for a in found["accounts"]] == [
        (-700, "credit_due"),
        (1250, "held"),
    ]
    assert (await how(world, held.sale_id))["state"] == "held"
    assert await how(world, gone.sale_id) == {
        "state": "credit_due",
        "numbers": [nth(3)],
        "amount": -700,
    }
    assert await how(world, kept.sale_id) == {"state": "billed", "numbers": [nth(3)], "amount": 0}


async def test_why_a_sale_is_not_among_it(world: World) -> None:
    await world.guests("A1")
    open_, settled, cancelled = (sale("A1", BEER) for _ in range(3))
    refused, later = sale("A1", BEER), sale("A1", BEER)
    await world.sell(declined(refused.sale_id), declined(later.sale_id, "expired"))
    await world.sell(declined(refused.sale_id, "expired"))  # the first reason stays
    await world.sell(open_, settled, cancelled, later)  # one was recorded after all
    await world.sell(reversal(settled, reason="settled"), reversal(cancelled))
    # Cancelled again, of which nothing was left.
    late = settled.decided_at + timedelta(minutes=1)
    await world.sell(reversal(settled, 0, decided_at=late))
    assert await how(world, open_.sale_id) == {"state": "pending", "amount": 700}
    assert (await how(world, settled.sale_id))["state"] == "settled"
    # That another one was moved is said of that one alone.
    await world.fetch(
        "INSERT INTO moved_sale VALUES ($1, gen_random_uuid(), $2, gen_random_uuid(), 'A9')",
        ENV, open_.sale_id,
    )  # fmt: skip
    assert (await how(world, cancelled.sale_id))["state"] == "cancelled"
    assert "moved_to" not in await how(world, cancelled.sale_id)
    assert await how(world, refused.sale_id) == {
        "state": "declined",
        "reason": "over_limit",
        "amount": 0,
    }
    assert (await how(world, later.sale_id))["state"] == "pending"
    assert await how(world, new_id()) == {"state": "unknown", "amount": 0}


async def test_a_sale_on_a_deleted_invoice_is_pending_again(world: World) -> None:
    await world.guests("A1")
    sold = sale("A1", BEER, LUNCH)
    await world.sell(sold)
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    assert await how(world, sold.sale_id) == {"state": "billed", "numbers": [nth(1)], "amount": 0}
    delete = InvoiceDelete(
        command_id=new_id(), environment=ENV, at=JULY, by="f", invoice_id=issued["invoice_id"]
    )
    await world.command(delete)
    assert (await how(world, sold.sale_id))["state"] == "pending"
    (one,) = (await listed(world, account="A1"))["sales"]
    assert (one["sale_id"], one["period"], one["amount"]) == (sold.sale_id, "2026-07", 1950)


async def test_it_waits_for_what_was_decided_before_and_answers_the_same_bytes(
    world: World,
) -> None:
    await world.guests("A1")
    request = pending()
    await world.bench.handle(commands.handle, [request], ends={"pos.decisions": {3: 10}})
    assert await world.jobs("pending") == []
    await world.sell(sale("A1"))
    async with world.bench.database.connection() as connection:
        await connection.execute("INSERT INTO positions VALUES ('pos.decisions', 3, 10)")
    told = await world.jobs("pending")
    assert said(told)[0]["amount"] == 700
    await world.sell(sale("A1"))
    assert await world.command(request) == told
    (refused,) = said(await world.command(pending(request_id=request.request_id, account="A1")))
    assert refused["reason"] == "request_id_reused"


async def test_many_accounts_come_in_parts(world: World) -> None:
    names = [f"A{i:04}" for i in range(4_100)]
    await world.registry(environment(), *(account(name, None) for name in names))
    await world.sell(*(sale(name) for name in names))
    await world.command(pending())
    first, second = said(await world.jobs("pending"))
    assert (first["part"], second["part"], first["parts"]) == (1, 2, 2)
    assert [a["account"] for a in (*first["accounts"], *second["accounts"])] == names


async def test_what_is_not_there_is_refused_and_what_is_lacking_is_told(world: World) -> None:
    assert (await listed(world, environment=77))["reason"] == "environment_unknown"
    await world.guests("A1")
    assert (await listed(world, account="nowhere"))["reason"] == "account_unknown"
    await world.registry(environment(version=2, iban=None))
    assert "iban" in (await listed(world))["lacking"]


async def test_that_it_cannot_be_told_is_told_and_the_same_when_it_is_asked_again(
    world: World,
) -> None:
    await world.guests("A1")
    async with world.bench.database.connection() as connection:
        await connection.execute(
            """UPDATE environment SET state = jsonb_set(state, '{time_zone}', '"No/Where"')"""
        )
    asked = pending()
    await world.command(asked)
    told = []
    for _ in range(3):
        told += await world.jobs("pending")
        await world.bench.make_due("pending")
    (refused,) = said(told)
    assert (refused["command_id"], refused["reason"]) == (asked.request_id, "not_processed")
    assert await world.command(asked) == told


def test_mails_of_which_a_server_said_a_lot_are_told_in_parts_that_fit_a_record() -> None:
    """A record that is too large is never taken, and holds up what is told after it."""
    mail = PendingMail(
        invoice_id=new_id(),
        number="2026-00001",
        account="28900001",
        to="guest@mailserver.nl",
        since=JULY,
        tries=3,
        code=421,
        reason="4.7.28 " + "rate limited " * 22,
    )
    for number in ("28900001", "é" * 64):
        mails = [mail.model_copy(update={"account": number})] * (MOST_LISTED // 2)
        parts = list(pieces(mails))
        assert sum(map(len, parts)) == len(mails)
        assert max(len(encode(a_part(part))) for part in parts) < 2 * 1024 * 1024
    assert list(pieces([])) == [()]


def a_part(mails: tuple[PendingMail, ...]) -> PendingListed:
    return PendingListed(
        request_id=new_id(), environment=ENV, part=1, parts=1, currency="EUR", count=1, amount=0,
        mails=mails,
    )  # fmt: skip
