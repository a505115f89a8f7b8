"""What a run plans, counts and mails is its own, in two venues with the same ids and numbers."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.invoicer.store import invoices, pending, runs
from tests.services.invoicer.two_venues import (
    OTHER,
    changed,
    issued,
    mail,
    rows,
    two_venues,
)
from tests.services.invoicer.world import (
    BEER,
    ENV,
    JULY,
    LUNCH,
    World,
    asked,
    reversal,
    said,
    sale,
    types,
)


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
        came = await runs.outcome(tx, ENV, x)
        assert [s.account for s in came.skipped] == ["A2"]
        assert [(o.account, o.why) for o in came.open] == [
            ("A1", "arrived_later"), ("A2", "no_holder"), ("A3", "arrived_later"),
        ]  # fmt: skip
        assert (await runs.outcome(tx, ENV, y)).skipped == ()
        draft = replace(y, run_id="none", mode="draft")
        assert {o.why for o in (await runs.outcome(tx, ENV, draft)).open} == {"arrived_later"}


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
