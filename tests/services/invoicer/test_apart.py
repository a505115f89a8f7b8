"""What is done for one account, invoice, run or venue leaves all others alone.

Goal: no statement reaches further than it should. Method: two venues with the same accounts, ids
and numbers, and in each of them several of a kind; after each act exactly its rows have changed.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from schemas.pos import SaleApproved
from services.invoicer.store import invoices, pending, register, runs, sales
from services.invoicer.verify import audit, sql
from tests.services.invoicer.test_corrections import correct
from tests.services.invoicer.test_drafts import approve, delete
from tests.services.invoicer.test_payments import payment, refund
from tests.services.invoicer.world import (
    BEER,
    ENV,
    JULY,
    LUNCH,
    World,
    account,
    asked,
    customer,
    environment,
    new_id,
    nth,
    reversal,
    said,
    sale,
    types,
)
from tests.support.databases import Database

OTHER = ENV + 1
KEYS = {
    "sale": ("sale_id",),
    "sale_line": ("sale_id", "line"),
    "reversal": ("cancellation_id",),
    "invoice": ("invoice_id",),
    "invoice_line": ("invoice_id", "position"),
    "credit_note": ("credit_note_id",),
    "payment": ("payment_id",),
    "number": ("number",),
    "series": ("series", "year"),
    "run": ("run_id",),
    "run_item": ("run_id", "account"),
}
EVERYTHING = "\nUNION ALL ".join(
    f"SELECT '{table}', to_jsonb(t)::text FROM {table} AS t" for table in KEYS
)
Changed = set[tuple[Any, ...]]


async def rows(world: World) -> dict[tuple[Any, ...], str]:
    found = {}
    for table, text in await world.fetch(EVERYTHING):
        row = json.loads(text)
        row.pop("changed_at", None)
        key = (table, row["environment"], *(row[name] for name in KEYS[table]))
        found[key] = json.dumps(row, sort_keys=True)
    return found


async def changed(world: World, before: dict[tuple[Any, ...], str]) -> Changed:
    """What was there before and is no more as it was."""
    after = await rows(world)
    return {key for key, text in before.items() if after.get(key) != text}


def of_venue(found: Changed, table: str) -> set[Any]:
    assert all(key[1] == ENV for key in found)
    return {key[2] if len(key) == 3 else key[2:] for key in found if key[0] == table}


async def two_venues(world: World) -> dict[str, Any]:
    """In both venues three accounts, each with two sales of two lines, under the same ids."""
    people = {name: new_id() for name in ("A1", "A2", "A3")}
    sold = {f"{name}/{i}": new_id() for name in people for i in (1, 2)}
    for number in (ENV, OTHER):
        await world.registry(
            environment(number, credit_note_format="C{year}-{seq:03}"),
            *(customer(one, number) for one in people.values()),
            *(account(name, one, number) for name, one in people.items()),
        )
        await world.sell(
            *(
                sale(key[:2], BEER, LUNCH, number=number, sale_id=one).model_copy(
                    update={"terminal": f"till-{number}"}
                )
                for key, one in sold.items()
            )
        )
    return sold


async def issued(world: World, **changes: Any) -> dict[tuple[int, str], dict[str, Any]]:
    told = said(await world.run("run", send=False, **changes), "invoice.issued")
    return {(one["environment"], one["account"]): one for one in told}


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


async def test_a_run_plans_counts_and_ends_its_own(world: World) -> None:
    sold = await two_venues(world)
    # What two runs of one venue and one of the other made, each by itself.
    await issued(world, run_id="one", accounts=("A1", "A2"))
    await issued(world, run_id="two")
    await issued(world, run_id="one", number=OTHER, accounts=("A3",))
    await world.sell(*(reversal(sale(f"A{i}", BEER, LUNCH, sale_id=sold[f"A{i}/1"]), 100 * i)
                       for i in (1, 2)))  # fmt: skip
    (completed,) = said(await world.run("run", run_id="notes", send=False), "run.completed")
    assert (completed["credit_notes"], completed["credited"]) == (2, 300)
    assert (completed["issued"], completed["total"], completed["vat"]) == (0, 0, [])
    async with world.bench.transaction() as tx:
        for number, run_id, count in ((ENV, "one", 2), (ENV, "two", 1), (OTHER, "one", 1)):
            found = await runs.find(tx, number, run_id)
            assert found is not None
            came = await runs.outcome(tx, number, found)
            assert (came.drafted, came.issued, came.total) == (0, count, count * 3900)
            assert [(v.rate, v.gross) for v in came.vat] == [
                ("21", count * 1400), ("9", count * 2500),
            ]  # fmt: skip
            assert (came.credit_notes, came.credited, came.sent) == (0, None, 0)
            assert len(await runs.made(tx, number, run_id)) == count
        found = await runs.find(tx, OTHER, "one")
        assert found is not None
        left = (await runs.outcome(tx, OTHER, found)).open
        assert [(o.account, o.amount, o.why) for o in left] == [
            ("A1", 3900, "not_selected"), ("A2", 3900, "not_selected"),
        ]  # fmt: skip
        notes = await runs.made(tx, ENV, "notes")
        assert {(n["kind"], n["total"]) for n in notes} == {
            ("credit_note", 100), ("credit_note", 200),
        }  # fmt: skip
    await report_and_wait(world, sold)
    # Of nothing but what is later, and of a later month's draft, a run has nothing to do.
    await world.sell(sale("A1", at=JULY.replace(month=8)))
    await world.run("run", run_id="august", period="2026-08", mode="draft")
    told = await world.run("run", run_id="none", send=False)
    assert types(told) == ["run.progressed", "run.completed"]
    assert said(told)[0]["total"] == 0
    await plan_three(world)


async def report_and_wait(world: World, sold: dict[str, str]) -> None:
    """Whom a run's documents were mailed to, whom it left out, and which mails wait, is told of its
    own documents; finance's copies are no mails to a guest."""
    gone = sale("A3", BEER, LUNCH, sale_id=sold["A3/1"], number=OTHER)
    await world.sell(reversal(gone, 300))
    await world.run("run", run_id="notes", number=OTHER, send=False)
    notes = await world.fetch("SELECT environment, credit_note_id::text AS id FROM credit_note "
                              "ORDER BY environment, number")  # fmt: skip
    bills = await world.fetch("SELECT account, invoice_id::text AS id, number FROM invoice "
                              "WHERE environment = $1 ORDER BY account", ENV)  # fmt: skip
    numbers = [row["number"] for row in bills]
    async with world.bench.transaction() as tx:
        assert await runs.counted(tx, ENV, "notes") == (0, 0)
    for to, ref, more in (
        ("a@x.nl", notes[0]["id"], {"kind": "credit_note"}),
        ("copy", notes[1]["id"], {"kind": "credit_note", "copy": True}),
        ("c@x.nl", notes[2]["id"], {"kind": "credit_note", "number": OTHER}),
        ("d@x.nl", bills[0]["id"], {}),
        ("copy", bills[1]["id"], {"copy": True}),
        ("e@x.nl", bills[2]["id"], {}),
    ):
        await mail(world, "pending", ref, to=to, **more)
    for number, run_id, reason in ((ENV, "notes", "nothing"), (OTHER, "notes", "nothing"),
                                   (ENV, "two", "nothing")):  # fmt: skip
        await world.fetch("INSERT INTO run_item (environment, run_id, account, reason, done) "
                          "VALUES ($1, $2, 'A0', $3, true)", number, run_id, reason)  # fmt: skip
    async with world.bench.transaction() as tx:
        assert await runs.counted(tx, ENV, "notes") == (1, 1)
        assert await runs.counted(tx, ENV, "one") == (0, 0)
        for run_id, mailed in (
            ("notes", ["a@x.nl", None]),
            ("one", ["d@x.nl", None]),
            ("two", ["e@x.nl"]),
        ):
            told = await runs.made(tx, ENV, run_id)
            assert [r["mailed_to"] for r in told] == mailed
            found = await runs.find(tx, ENV, run_id)
            assert found is not None
            sent = 0 if run_id == "notes" else 1
            assert (await runs.outcome(tx, ENV, found)).sent == sent
        count, waiting = await pending.mails(tx, ENV)
        assert (count, sorted(m.to for m in waiting)) == (3, ["a@x.nl", "d@x.nl", "e@x.nl"])
        assert {m.to: m.number for m in waiting}["e@x.nl"] == numbers[2]
        one = await pending.sale(tx, ENV, sold["A3/2"], ZoneInfo("Europe/Amsterdam"))
        assert one.numbers == (numbers[2],)
    await world.fetch("DELETE FROM run_item WHERE account = 'A0'")


async def mail(
    world: World, state: str, ref: str, *, number: int = ENV, to: str = "a", **changes: Any
) -> None:
    """Note that one was sent, failed or waits."""
    values = {"kind": "invoice", "copy": False, **changes}
    await world.fetch(
        "INSERT INTO mail (environment, mail_id, kind, ref, recipient, copy, state, message_id,"
        " ended_at) VALUES ($1, gen_random_uuid(), $2, $3, $6, $4, $5, 'm',"
        " CASE WHEN $5 <> 'pending' THEN now() END)",
        number, values["kind"], ref, values["copy"], state, to,
    )  # fmt: skip


async def plan_three(world: World) -> None:
    """Of three that are planned and not begun what is noted of one is not of another."""
    until = datetime(2026, 7, 31, 22, tzinfo=UTC)
    for number in (ENV, OTHER):
        await world.sell(*(sale(name, number=number) for name in ("A1", "A2", "A3")))
    both = ((ENV, "x"), (ENV, "y"), (OTHER, "x"))
    await world.command(*(asked(run_id, number=number) for number, run_id in both))
    for number, run_id in both:
        async with world.bench.transaction() as tx:
            found = await runs.find(tx, number, run_id)
            assert found is not None
            await runs.plan(tx, number, found, until)
            await runs.begin(tx, number, run_id, until)
    before = await rows(world)
    async with world.bench.transaction() as tx:
        await runs.accounts_done(tx, ENV, "x", {"A2": "no_holder"})
        await runs.end(tx, ENV, "y", "completed")
    assert await changed(world, before) == {("run_item", ENV, "x", "A2"), ("run", ENV, "y")}
    async with world.bench.transaction() as tx:
        assert await runs.next_accounts(tx, ENV, "x", 20) == ["A1", "A3"]
        for number, run_id in both[1:]:
            assert await runs.next_accounts(tx, number, run_id, 20) == ["A1", "A2", "A3"]
        assert [await runs.progress(tx, *one) for one in both] == [(1, 3), (0, 3), (0, 3)]
        x, y = [await runs.find(tx, ENV, run_id) for run_id in ("x", "y")]
        assert x is not None
        assert y is not None
        assert [s.account for s in (await runs.outcome(tx, ENV, x)).skipped] == ["A2"]
        assert (await runs.outcome(tx, ENV, y)).skipped == ()


async def test_the_audit_finds_what_is_wrong_in_the_venue_that_is_asked_for(
    world: World, postgres: Database
) -> None:
    sold = await two_venues(world)
    for number in (ENV, OTHER):
        await issued(world, run_id="a", number=number)
    one, two, three = (
        str(row["invoice_id"])
        for row in await world.fetch(
            "SELECT invoice_id FROM invoice WHERE environment = $1 ORDER BY number", ENV
        )
    )
    # One is credited twice and in parts, one is paid in parts, one is issued a third time.
    for amount in (100, 50):
        await world.sell(reversal(sale("A1", BEER, LUNCH, sale_id=sold["A1/1"]), amount))
        await world.run("run", run_id=f"part {amount}", send=False)
        await world.command(payment(amount, invoice_id=two))
    for run_id in ("b", "c"):
        await world.command(delete(three))
        three = (await issued(world, run_id=run_id))[ENV, "A3"]["invoice_id"]
    await world.sell(sale("A2"))
    await world.registry(environment(version=2, name="De Kantine"))
    await world.run("run", run_id="draft", mode="draft")
    await its_own_rows(world, two, three)
    connection = await asyncpg.connect(postgres.admin)
    try:
        await connection.execute("SET search_path TO invoicer")
        whole = [await audit(connection, which) for which in (None, ENV, OTHER)]
        assert [found["problems"] for found in whole] == [[], [], []]
        assert [found["documents"] for found in whole] == [12, 9, 3]
        assert [len(found["series"]) for found in whole] == [3, 2, 1]
        await connection.execute("SET session_replication_role = replica")
        for statement, fault, where in WRONG:
            wrong = connection.transaction()
            await wrong.start()
            ids = {"one": one, "two": two, "three": three, "sale": sold["A3/1"]}
            await connection.execute(fault.format(env=f"environment = {ENV}", **ids))
            found = [await connection.fetch(statement, which) for which in (None, ENV, OTHER)]
            await wrong.rollback()
            named = where.format(**ids)
            assert [{f"{r['number']}: {r['problem']}" for r in each} for each in found] == [
                {named}, {named}, set(),
            ], fault  # fmt: skip
    finally:
        await connection.close()


async def its_own_rows(world: World, two: str, three: str) -> None:
    """A document is made of its own rows alone."""
    for row in await world.fetch("SELECT * FROM credit_note"):
        which = ENV, row["credit_note_id"]
        assert [r["number"] for r in await world.fetch(invoices.sql.credit_note, *which)] == [
            row["number"]
        ]
        its = await world.fetch(invoices.sql.credit_note_lines, *which)
        assert sum(r["amount"] for r in its) == row["total"]
    its = await world.fetch(invoices.sql.invoice_lines, ENV, [two, three])
    assert sorted((r["invoice_id"], r["was_credited"]) for r in its) == sorted(
        [(two, False)] * 4 + [(three, True)] * 4
    )
    heads = await world.fetch("SELECT sha256 FROM letterhead WHERE environment = $1", ENV)
    shown = await world.fetch(
        invoices.sql.surroundings, ENV, [r["sha256"] for r in heads], ["A1", "A2"]
    )
    assert (len(heads), len(shown)) == (2, 2)


async def test_how_an_invoice_stands_besides_what_is_paid_is_told_by_its_own_mails_to_guests(
    world: World,
) -> None:
    await two_venues(world)
    mine, other, last = (await issued(world, run_id="a")).values()
    own, theirs = mine["invoice_id"], other["invoice_id"]

    async def stands(send: bool) -> str:
        async with world.bench.transaction() as tx:
            one = (await invoices.find(tx, ENV, [own]))[own]
            return await invoices.delivery(tx, replace(one, send=send))

    for state, ref in (("sent", theirs), ("failed", last["invoice_id"])):
        await mail(world, state, ref)
    await mail(world, "sent", own, number=OTHER)
    await mail(world, "sent", own, kind="statement")
    await mail(world, "sent", own, copy=True)
    assert (await stands(False), await stands(True)) == ("issued", "undeliverable")
    await mail(world, "pending", own)
    assert (await stands(False), await stands(True)) == ("issued", "issued")
    await mail(world, "failed", own)
    assert await stands(True) == "undeliverable"
    await mail(world, "sent", own)
    assert await stands(True) == "sent"


_MISSING, _DATED = "the number before it is missing", "it is dated before the number before it"
_LINE = "{sale}: billed or credited is not what documents say"
_SUM = ": its credited or paid sum is not what credit notes and payments say"
_STRAY = ": the register has no document for it"
WRONG = (
    (sql.gaps, "DELETE FROM number WHERE {env} AND kind = 'invoice' AND seq = 4",
     f"{nth(5)}: {_MISSING}"),
    (sql.gaps, "UPDATE number SET issued_on = make_date(year, 12 / seq, 32 - seq) WHERE {env} "
     "AND kind = 'invoice' AND seq IN (1, 2) ", f"{nth(2)}: {_DATED}"),
    (sql.gaps, "UPDATE number SET issued_at = 'epoch' WHERE {env} AND kind = 'invoice' AND seq = 2",
     f"{nth(2)}: {_DATED}"),
    (sql.strays, "UPDATE invoice SET invoice_id = gen_random_uuid() WHERE {env} "
     "AND invoice_id = '{one}'", f"{nth(1)}{_STRAY}"),
    (sql.strays, "UPDATE credit_note SET credit_note_id = gen_random_uuid() WHERE {env} "
     "AND total = 50", f"C{nth(1)[:4]}-002{_STRAY}"),
    (sql.lines, "UPDATE sale_line SET billed = billed - 1 WHERE {env} AND sale_id = '{sale}' "
     "AND line = 0", _LINE),
    (sql.lines, "UPDATE sale_line SET credited = credited + 1 WHERE {env} AND sale_id = '{sale}' "
     "AND line = 0", _LINE),
    (sql.lines, "UPDATE invoice_line SET credited = 0 WHERE {env} AND sale_id = '{sale}'", _LINE),
    (sql.alone, "DELETE FROM sale WHERE {env} AND sale_id = '{sale}'",
     "{sale}: a line of it is there without the sale"),
    (sql.alone, "UPDATE sale SET account = 'A0' WHERE {env} AND sale_id = '{sale}'",
     "{sale}: its account A0 is not there"),
    (sql.sums, "UPDATE invoice SET credited = 1 WHERE {env} AND invoice_id = '{two}'",
     f"{nth(2)}{_SUM}"),
    (sql.sums, "UPDATE invoice SET paid = 1 WHERE {env} AND invoice_id = '{two}'",
     f"{nth(2)}{_SUM}"),
)  # fmt: skip
