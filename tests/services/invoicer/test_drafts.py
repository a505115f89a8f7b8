"""Drafts claim nothing; approved they become invoices, deleted they vanish."""

from typing import Any

from schemas.invoices import InvoiceApprove, InvoiceDelete
from services.invoicer.handlers import commands
from tests.services.invoicer.world import (
    BEER,
    ENV,
    JULY,
    LUNCH,
    World,
    account,
    customer,
    environment,
    new_id,
    nth,
    reversal,
    said,
    sale,
    types,
)
from tests.support.mails import MailServer


def approve(invoice_id: str, **changes: Any) -> InvoiceApprove:
    values = {"command_id": new_id(), "environment": ENV, "at": JULY, "by": "finance"}
    return InvoiceApprove(invoice_id=invoice_id, **{**values, **changes})


def delete(invoice_id: str, **changes: Any) -> InvoiceDelete:
    values = {"command_id": new_id(), "environment": ENV, "at": JULY, "by": "finance"}
    return InvoiceDelete(invoice_id=invoice_id, **{**values, **changes})


async def drafted(world: World, *sales: Any) -> str:
    await world.guests("A1")
    await world.sell(*(sales or (sale("A1"),)))
    told = await world.run(mode="draft")
    (draft,) = said(told, "invoice.drafted")
    return str(draft["invoice_id"])


async def test_a_draft_claims_nothing_and_takes_no_number(world: World) -> None:
    await drafted(world)
    told = await world.run(run_id="again", mode="draft")
    (completed,) = said(told, "run.completed")
    assert (completed["drafted"], completed["issued"]) == (1, 0)
    assert completed["open"] == [{"account": "A1", "amount": 700, "why": "draft"}]
    assert await world.fetch("SELECT FROM number") == []


async def test_what_a_command_does_belongs_to_the_trace_of_who_gave_it(world: World) -> None:
    command = approve(await drafted(world))
    for trace in ("first", "second", None):
        told = await world.bench.handle(commands.handle, [command], trace=trace)
        assert [answer.trace for answer in told] == [trace] * len(told)
        assert "command.applied" in types(told)


async def test_an_approved_draft_is_issued_and_mailed_as_its_run_said(
    world: World, smtp: MailServer
) -> None:
    draft = await drafted(world)
    told = await world.command(approve(draft))
    assert types(told) == ["invoice.issued", "command.applied"]
    assert said(told)[0]["invoice_id"] == draft
    assert types(await world.jobs()) == ["invoice.state", "invoice.sent"]
    assert len(smtp.mails) == 1


async def test_the_report_of_drafts_that_are_to_be_mailed_calls_none_of_them_undelivered(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1")
    await world.guests("A2", email=None)
    await world.registry(environment(version=2, finance_copy="report"))
    await world.sell(sale("A1"), sale("A2"))
    await world.run(mode="draft", send=True)
    (report,) = smtp.mails
    body = report.get_body(("plain",))
    assert body is not None
    assert "Concepten: 2" in body.get_content()
    assert "Niet gemaild" not in body.get_content()


async def test_approving_twice_with_one_id_answers_the_same_bytes(world: World) -> None:
    command = approve(await drafted(world))
    told = await world.command(command, command)
    assert told[:2] == told[2:]
    assert await world.command(command) == told[:2]
    (refused,) = said(await world.command(approve(command.invoice_id)))
    assert refused["reason"] == "not_a_draft"
    other = InvoiceDelete(**{**command.model_dump(), "type": "invoice.delete"})
    (refused,) = said(await world.command(other))
    assert refused["reason"] == "command_id_reused"


async def test_a_draft_whose_total_changed_is_replaced_by_a_new_one(world: World) -> None:
    draft = await drafted(world)
    await world.sell(sale("A1", LUNCH))
    told = await world.command(approve(draft))
    assert types(told) == ["invoice.deleted", "invoice.drafted", "command.refused"]
    again, refused = said(told)[1:]
    assert (again["total"], refused["reason"]) == (1950, "draft_changed")
    assert again["invoice_id"] in refused["message"]
    told = await world.command(approve(again["invoice_id"]))
    assert said(told, "invoice.issued")[0]["total"] == 1950


async def test_a_draft_of_which_nothing_is_left_goes_without_a_successor(world: World) -> None:
    sold = sale("A1")
    draft = await drafted(world, sold)
    await world.sell(reversal(sold))
    assert types(await world.command(approve(draft))) == ["invoice.deleted", "command.refused"]


async def test_a_later_run_replaces_the_drafts_of_an_earlier_one(world: World) -> None:
    first = await drafted(world)
    told = await world.run(run_id="b", mode="draft")
    (second,) = said(told, "invoice.drafted")
    assert [d["invoice_id"] for d in said(told, "invoice.deleted")] == [first]
    (refused,) = said(await world.command(approve(first)))
    assert (refused["reason"], "deleted" in refused["message"]) == ("not_a_draft", True)
    states = {s["invoice_id"]: s for s in said(world.bench.published.answers, "invoice.state")}
    assert [s["status"] for s in states.values()] == ["deleted", "draft"]
    assert "invoice.issued" in types(await world.command(approve(second["invoice_id"])))


async def test_a_run_that_issues_takes_the_drafts_of_what_it_bills_along(world: World) -> None:
    draft = await drafted(world)
    told = await world.run(run_id="b")
    assert [d["invoice_id"] for d in said(told, "invoice.deleted")] == [draft]
    assert [i["total"] for i in said(told, "invoice.issued")] == [700]


async def test_a_draft_of_which_nothing_is_left_goes_with_the_next_run(world: World) -> None:
    sold = sale("A1")
    draft = await drafted(world, sold)
    await world.sell(reversal(sold))
    told = await world.run(run_id="b", mode="draft")
    assert [d["invoice_id"] for d in said(told, "invoice.deleted")] == [draft]
    assert said(told, "run.completed")[0]["skipped"] == [
        {"account": "A1", "reason": "nothing_to_invoice"}
    ]


async def test_drafts_of_other_accounts_and_of_later_months_stay(world: World) -> None:
    await world.guests("A1", "A2")
    await world.sell(sale("A1"), sale("A2"), sale("A1", at=JULY.replace(month=6)))
    july = said(await world.run(mode="draft"), "invoice.drafted")
    told = await world.run(run_id="june", period="2026-06", mode="draft", accounts=("A1",))
    gone = {d["invoice_id"] for d in said(told, "invoice.deleted")}
    assert gone == {
        d["invoice_id"] for d in july if (d["account"], d["period"]) == ("A1", "2026-06")
    }
    rows = await world.fetch(
        "SELECT account, period FROM invoice WHERE status = 'draft' ORDER BY 1, 2"
    )
    assert [tuple(r) for r in rows] == [("A1", "2026-06"), ("A1", "2026-07"), ("A2", "2026-07")]


async def test_a_deleted_draft_vanishes_and_its_sales_stay_open(world: World) -> None:
    draft = await drafted(world)
    assert types(await world.command(delete(draft))) == ["invoice.deleted", "command.applied"]
    state = said(world.bench.published.answers, "invoice.state")[-1]
    assert (state["status"], state["paid"], state.get("credited")) == ("deleted", 0, None)
    (issued,) = said(await world.run(run_id="b"), "invoice.issued")
    assert issued["total"] == 700


async def test_a_deleted_invoice_is_credited_and_its_sales_are_billed_anew(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1", BEER, LUNCH))
    (issued,) = said(await world.run(), "invoice.issued")
    told = await world.command(delete(issued["invoice_id"]))
    assert types(told) == ["credit_note.issued", "command.applied"]
    note = said(told)[0]
    assert (note["total"], note["frees"], note["vat"]) == (1950, True, issued["vat"])
    assert note["number"] == nth(2)
    (refused,) = said(await world.command(delete(issued["invoice_id"])))
    assert refused["reason"] == "invoice_credited"
    (again,) = said(await world.run(run_id="b"), "invoice.issued")
    assert (again["number"], again["total"]) == (nth(3), 1950)


async def test_credit_notes_count_in_a_series_of_their_own_where_their_format_differs(
    world: World,
) -> None:
    await world.guests("A1")
    await world.registry(environment(version=2, credit_note_format="C{year}-{seq:03}"))
    await world.sell(sale("A1"))
    (issued,) = said(await world.run(), "invoice.issued")
    (note, _) = said(await world.command(delete(issued["invoice_id"])))
    (again,) = said(await world.run(run_id="b"), "invoice.issued")
    assert [issued["number"], note["number"], again["number"]] == [
        nth(1),
        f"C{nth(1)[:4]}-001",
        nth(2),
    ]


async def test_an_unknown_invoice_is_refused(world: World) -> None:
    for message in (approve(new_id()), delete(new_id())):
        (refused,) = said(await world.command(message))
        assert (refused["reason"], refused["field"]) == ("invoice_unknown", "invoice_id")


async def test_who_got_the_invoice_by_mail_gets_its_credit_note(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1", email="anna@club.example")
    await world.guests("A2", email="test@test.example", email_fictitious=True)
    await world.sell(sale("A1"), sale("A2"))
    for issued in said(await world.run(), "invoice.issued"):
        await world.command(delete(issued["invoice_id"]))
    await world.jobs()
    assert smtp.recipients == [["anna@club.example"], ["anna@club.example"]]
    first = next(iter(smtp.mails[1].iter_attachments()))
    assert first.get_filename() in (f"{nth(3)}.pdf", f"{nth(4)}.pdf")


async def test_an_approved_draft_bills_its_own_month_and_says_whether_that_had_an_invoice(
    world: World,
) -> None:
    june = JULY.replace(month=6)
    await world.guests("A1")
    for run_id, supplementary in (("a", False), ("b", True)):
        await world.sell(sale("A1"), sale("A1", LUNCH, at=june))
        told = said(await world.run(run_id=run_id, mode="draft", send=False), "invoice.drafted")
        draft = next(one for one in told if one["period"] == "2026-07")
        (issued,) = said(await world.command(approve(draft["invoice_id"])), "invoice.issued")
        assert (issued["period"], issued["total"]) == ("2026-07", 700)
        (row,) = await world.fetch(
            "SELECT supplementary, run_id, send, i.holder = a.holder"
            " FROM invoice AS i JOIN account AS a USING (account) WHERE number = $1",
            issued["number"],
        )
        assert tuple(row) == (supplementary, run_id, False, True)
    assert (
        await world.fetch("SELECT FROM invoice WHERE number IS NULL AND holder IS NOT NULL") == []
    )


async def test_a_draft_of_a_month_that_comes_to_nothing_goes_without_a_successor(
    world: World,
) -> None:
    sold, swap = sale("A1"), sale("A1", ("Wijn", "1", 500, "21"), ("Ruil", "-1", 500, "9"))
    draft = await drafted(world, sold, swap)
    await world.sell(reversal(sold))
    assert types(await world.command(approve(draft))) == ["invoice.deleted", "command.refused"]
    await world.sell(sale("A1", ("Snoep", "1", 1, "9")))  # of a cent it is issued
    (draft_of_a_cent,) = said(await world.run(run_id="cent", mode="draft"), "invoice.drafted")
    told = await world.command(approve(draft_of_a_cent["invoice_id"]))
    assert said(told, "invoice.issued")[0]["total"] == 1


async def test_what_has_no_buyer_or_no_lawful_seller_any_more_is_not_approved(
    world: World,
) -> None:
    draft = await drafted(world)
    (row,) = await world.fetch("SELECT holder::text FROM account")
    for state, reason in (
        (customer(row["holder"], version=2, street=None), "no_postal_address"),
        (account("A1", None, version=2), "no_holder"),
        (environment(version=2, iban=None), "environment_incomplete"),
    ):
        await world.registry(state)
        (refused,) = said(await world.command(approve(draft)))
        assert refused["reason"] == reason
    assert [r["status"] for r in await world.fetch("SELECT status FROM invoice")] == ["draft"]


async def test_what_is_left_of_an_invoice_is_credited_when_it_is_deleted(world: World) -> None:
    await world.guests("A1")
    first, second = sale("A1", BEER, LUNCH), sale("A1", BEER)
    await world.sell(first, second)
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    await world.sell(reversal(first, 100), reversal(second))
    await world.run("run", run_id="notes", send=False)
    await world.registry(environment(version=2, iban=None))
    (refused,) = said(await world.command(delete(issued["invoice_id"])))
    assert refused["reason"] == "environment_incomplete"
    await world.registry(environment(version=3))
    note = said(await world.command(delete(issued["invoice_id"])))[0]
    assert (note["total"], note["sales"]) == (
        1850, [{"sale_id": first.sale_id, "amount": 1850}],
    )  # fmt: skip
