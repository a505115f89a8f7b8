"""What is done for one account, invoice or venue leaves all others alone.

Goal: no statement reaches further than it should. Method: two venues with the same accounts, ids
and numbers, and in each of them several of a kind; after each act exactly its rows have changed.
"""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.pos import SaleApproved
from services.invoicer.store import invoices, mails, pending, register, sales
from services.invoicer.store.mails import NewMail
from services.invoicer.verify import audit
from tests.services.invoicer.test_corrections import correct
from tests.services.invoicer.test_drafts import approve, delete
from tests.services.invoicer.test_payments import payment, refund
from tests.services.invoicer.two_venues import OTHER, changed, issued, of_venue, rows, two_venues
from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    World,
    environment,
    new_id,
    nth,
    reversal,
    said,
    sale,
    types,
)


async def test_what_is_done_for_one_account_changes_nothing_of_another(world: World) -> None:
    sold = await two_venues(world)
    async with world.bench.transaction() as tx:
        tx.now = datetime(2025, 6, 1, tzinfo=UTC)  # an older series, of which nothing changes
        for number in (ENV, OTHER):
            await register.give(tx, environment(number), [("invoice", new_id())])
    gone = await take_back_a_part(world, sold)
    third, its_draft = await bill_two(world, sold)
    for number in (ENV, OTHER):
        await issued(world, run_id="all", number=number)
    await note_mails(world, third, its_draft)
    by_account = {
        (row["environment"], row["account"]): row
        for row in await world.fetch(
            "SELECT environment, account, number, invoice_id::text FROM invoice"
            " WHERE number IS NOT NULL"
        )
    }
    mine = by_account[ENV, "A2"]
    await pay_and_undo(world, by_account)
    await world.command(correct(by_account[ENV, "A1"]["invoice_id"], exclude_sales=(sold["A1/1"],)))
    again = await move_one(world, sold, mine["invoice_id"])
    await delete_and_bill_anew(world, sold, gone, again)
    await mail_of_each(world)
    async with world.bench.transaction() as tx:
        replaced = await invoices.replaced(tx, ENV, [again])
        till = await sales.terminals(tx, ENV, [gone.sale_id])
    assert till == {gone.sale_id: f"till-{ENV}"}
    assert {key: [one.invoice_id for one in its] for key, its in replaced.items()} == {
        again: [mine["invoice_id"]]
    }
    async with world.bench.database.connection() as connection:
        for which in (None, ENV, OTHER):
            found_wrong = (await audit(connection, which))["problems"]  # type: ignore[arg-type]
            assert {p["number"] for p in found_wrong} <= {"2025-00001"}  # its document is made up


async def take_back_a_part(world: World, sold: dict[str, str]) -> SaleApproved:
    """Of one sale, while another's reversal waits for a sale that is not there."""
    await world.sell(reversal(sale("A1", number=ENV), account="A2"))
    before = await rows(world)
    gone = sale("A2", BEER, LUNCH, sale_id=sold["A2/1"])
    await world.sell(reversal(gone, 100))
    assert await changed(world, before) == {
        ("sale", ENV, gone.sale_id), ("sale_line", ENV, gone.sale_id, 0),
    }  # fmt: skip
    return gone


async def bill_two(world: World, sold: dict[str, str]) -> tuple[str, str]:
    """All are drafted; a draft is approved, and one account is billed: the others' drafts stay."""
    for number in (ENV, OTHER):
        await world.run("run", run_id="drafts", mode="draft", number=number)
    of_all = await world.fetch("SELECT environment, account, invoice_id::text FROM invoice")
    third = {tuple(row)[:2]: row["invoice_id"] for row in of_all}[ENV, "A3"]
    before = await rows(world)
    await world.command(approve(third))
    found = await changed(world, before)
    assert of_venue(found, "invoice") == {third}
    assert of_venue(found, "sale_line") == {(sold[f"A3/{i}"], n) for i in (1, 2) for n in (0, 1)}
    assert len(found) == 5
    before = await rows(world)
    (second,) = (await issued(world, run_id="one", accounts=("A2",))).values()
    assert second["total"] == 2 * 1950 - 100
    found = await changed(world, before)
    (its_draft,) = of_venue(found, "invoice")
    assert await world.fetch(
        "SELECT status, account FROM invoice WHERE invoice_id = $1", its_draft
    ) == [("deleted", "A2")]
    assert of_venue(found, "sale_line") == {(sold[f"A2/{i}"], n) for i in (1, 2) for n in (0, 1)}
    assert len(found) == 6  # and the series
    assert await world.fetch("SELECT account FROM invoice WHERE supplementary") == []
    return third, its_draft


async def note_mails(world: World, third: str, its_draft: str) -> None:
    """What became of an invoice's mails is noted of that one, and of no draft that is gone."""
    before = await rows(world)
    for _ in range(2):
        async with world.bench.transaction() as tx:
            await invoices.mailed(tx, ENV, [third], "sent", ("issued", "undeliverable"))
            await invoices.mailed(tx, ENV, [its_draft], "sent", ("issued", "undeliverable"))
    assert await changed(world, before) == {("invoice", ENV, third)}
    assert await world.fetch(
        "SELECT version, status FROM invoice WHERE invoice_id = $1", third
    ) == [(3, "sent")]


async def pay_and_undo(world: World, by_account: dict[tuple[int, str], Any]) -> None:
    """Payments under the same ids in both venues, of different amounts; and undone."""
    mine, ids = by_account[ENV, "A2"], [new_id(), new_id(), new_id()]
    other_id = by_account[ENV, "A3"]["invoice_id"]
    await world.command(
        payment(50, payment_id=ids[0], number=by_account[OTHER, "A2"]["number"], environment=OTHER),
        payment(60, payment_id=ids[1], invoice_id=other_id),
        refund(60, reverses=ids[1], invoice_id=other_id),
    )
    before = await rows(world)
    paid = await world.command(payment(3800, payment_id=ids[0], number=mine["number"]))
    assert await changed(world, before) == {("invoice", ENV, mine["invoice_id"])}
    (ended,) = (one for one in paid if one.type == "invoice.paid")
    assert ended.id == f"invoice.paid/{ENV}/{mine['invoice_id']}"
    (refused,) = said(await world.command(refund(1, reverses=ids[1], number=mine["number"])))
    assert refused["reason"] == "payment_unknown"
    await world.command(payment(3800, payment_id=ids[2], number=mine["number"]))
    for amount in (3000, 800):
        back = refund(amount, reverses=ids[0], invoice_id=mine["invoice_id"])
        assert types(await world.command(back))[-1] == "command.applied"
    (refused,) = said(await world.command(refund(1, reverses=ids[0], number=mine["number"])))
    assert refused["reason"] == "exceeds_payment"
    async with world.bench.transaction() as tx:
        named = [(ENV, mine["invoice_id"], None), (OTHER, None, mine["number"])]
        others = {key[1] for key, row in by_account.items()
                  if key[0] == OTHER and row["number"] == mine["number"]}  # fmt: skip
        assert await invoices.accounts_of(tx, named) == {
            (ENV, "A2"), *((OTHER, name) for name in others),
        }  # fmt: skip


async def move_one(world: World, sold: dict[str, str], invoice_id: str) -> str:
    """While a correction holds another account's sale one is moved, and comes back alone."""
    before = await rows(world)
    told = await world.command(correct(invoice_id, exclude_sales=(sold["A2/2"],), account="A3"))
    found = await changed(world, before)
    assert of_venue(found, "sale") == {sold["A2/2"]}
    assert of_venue(found, "invoice") == {invoice_id}
    assert of_venue(found, "invoice_line") == {(invoice_id, n) for n in range(4)}
    assert of_venue(found, "sale_line") == {(sold[f"A2/{i}"], n) for i in (1, 2) for n in (0, 1)}
    assert of_venue(found, "series") == {
        ("invoice", int(nth(1)[:4])), ("credit_note", int(nth(1)[:4])),
    }  # fmt: skip
    assert len(found) == 12
    (cancelled,) = said(told, "sale.cancelled")
    assert cancelled["terminal"] == f"till-{ENV}"
    await held_and_moved(world, sold)
    before = await rows(world)
    whole = sale("A2", BEER, LUNCH, sale_id=sold["A2/2"])
    back = reversal(whole, cancellation_id=cancelled["cancellation_id"])
    (recorded,) = said(await world.sell(back))
    assert (recorded["account"], len(recorded["lines"])) == ("A3", 2)
    found = await changed(world, before)
    assert found == {("sale", ENV, whole.sale_id)} | {
        ("sale_line", ENV, whole.sale_id, n) for n in (0, 1)
    }
    (again,) = said(told, "invoice.issued")
    return str(again["invoice_id"])


async def delete_and_bill_anew(
    world: World, sold: dict[str, str], gone: SaleApproved, again: str
) -> None:
    """What was deleted is billed anew, and what is taken back of that is credited on it."""
    before = await rows(world)
    await world.command(delete(again))
    found = await changed(world, before)
    assert of_venue(found, "invoice") == {again}
    assert of_venue(found, "invoice_line") == {(again, n) for n in (0, 1)}
    assert of_venue(found, "sale_line") == {(sold["A2/1"], n) for n in (0, 1)}
    assert len(found) == 6
    anew = (await issued(world, run_id="anew"))[ENV, "A2"]
    await world.sell(reversal(gone, 200, cancellation_id=new_id(), reason="returned"))
    (note,) = said(await world.run("run", run_id="notes", send=False), "credit_note.issued")
    assert (note["invoice_id"], note["total"]) == (anew["invoice_id"], 200)


async def mail_of_each(world: World) -> None:
    """A mail is about its own document, and what becomes of it is noted of that one alone."""
    documents = [
        *(("invoice", *row) for row in await world.fetch(
            "SELECT invoice_id::text, account, total - credited - paid FROM invoice"
            " WHERE environment = $1 AND number IS NOT NULL", ENV)),
        *(("credit_note", *row) for row in await world.fetch(
            "SELECT c.credit_note_id::text, i.account, i.total - i.credited - i.paid"
            " FROM credit_note AS c JOIN invoice AS i USING (environment, invoice_id)"
            " WHERE environment = $1", ENV)),
    ]  # fmt: skip
    assert {kind for kind, *_ in documents[:-1]} == {"invoice", "credit_note"}  # several of each
    new = [NewMail(kind=d[0], ref=d[1], recipient=f"{d[1]}@x.example", cause="") for d in documents]
    ids = [one.mail_id for one in new]

    async def states(but: tuple[int, str]) -> list[Any]:
        told = await world.fetch("SELECT to_jsonb(m) FROM mail AS m ORDER BY environment, mail_id")
        return [m for (text,) in told if (m := json.loads(text)) and
                (m["environment"], m["mail_id"]) != but]  # fmt: skip

    async with world.bench.transaction() as tx:
        for number in (ENV, OTHER, ENV):
            await mails.add(tx, number, new)
        for document, one in zip(documents, new, strict=True):
            (row,) = await tx.fetch(mails.sql.find, ENV, [one.mail_id])
            assert (row["mail_id"], row["account"], row["open"]) == (one.mail_id, *document[2:])
            assert {*ids} & {*await mails.pending(tx, ENV, one.ref)} == {one.mail_id}
            to = await mails.recipients(tx, ENV, one.ref)
            assert [each for each in to if "@x" in each] == [one.recipient]
    others = await states((ENV, ids[0]))
    async with world.bench.transaction() as tx:
        assert await mails.hand_over(tx, ENV, {ids[0]: "m"}) == {ids[0]: 1}
        await mails.put_off(tx, ENV, ids[0], 450, "later")
        await mails.unsure(tx, ENV, ids[0], "no answer")
        assert await mails.end(tx, ENV, [ids[0]], "failed", 550, "no") == {ids[0]}
    assert await states((ENV, ids[0])) == others
    all_of_them = await states((0, ""))
    async with world.bench.transaction() as tx:  # it has its fate
        assert await mails.hand_over(tx, ENV, {ids[0]: "n"}) == {}
        await mails.put_off(tx, ENV, ids[0], 450, "later")
        await mails.unsure(tx, ENV, ids[0], "no answer")
        assert await mails.end(tx, ENV, [ids[0]], "sent", None, "") == set()
        ended = (await mails.find(tx, ENV, ids[0]))[ids[0]]
        assert (ended.attempts, ended.refusals, ended.unsure, ended.code) == (2, 1, -1, 550)
        assert ids[0] not in await mails.pending(tx, ENV, new[0].ref)
        assert new[0].recipient not in await mails.recipients(tx, ENV, new[0].ref)
    assert await states((0, "")) == all_of_them


async def held_and_moved(world: World, sold: dict[str, str]) -> None:
    """What is told of what one correction holds and another moves, of both accounts."""
    venue, zone = environment(), ZoneInfo("Europe/Amsterdam")
    async with world.bench.transaction() as tx:
        left_out = await pending.sale(tx, ENV, sold["A1/1"], zone)
        moved = await pending.sale(tx, ENV, sold["A2/2"], zone)
        assert (left_out.state, left_out.moved_to) == ("held", None)
        assert (moved.state, moved.moved_to) == ("held", "A3")
        told = [(a.account, a.sales, a.amount, a.why) for a in await pending.overview(tx, venue)]
        assert told == [("A1", 1, 1950, "held"), ("A2", 1, 1950, "held")]
        assert await pending.sums(tx, ENV, None) == (2, 3900)
        assert await pending.sums(tx, ENV, "A1") == (1, 1950)
        (only,) = await pending.of_account(tx, ENV, "A2", zone)
        assert (only.sale_id, only.amount) == (sold["A2/2"], 1950)
