"""A run, from what was sold to invoices that were mailed, on a real PostgreSQL and SMTP."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from schemas.invoices import InvoiceApprove
from schemas.registry import Schedule
from schemas.wire import decode, encode
from services.invoicer.handlers import commands, registry
from services.invoicer.names import made
from services.invoicer.store import runs
from services.invoicer.timers import SCHEDULE
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
from tests.support.mails import MailServer

MAY = datetime(2026, 5, 5, 12, tzinfo=UTC)


async def test_a_run_issues_numbers_documents_and_mails(world: World, smtp: MailServer) -> None:
    await world.guests("A1", "A2")
    await world.sell(sale("A1", BEER, LUNCH), sale("A2", BEER))
    told = await world.run()
    issued = said(told, "invoice.issued")
    assert [i["number"] for i in issued] == [nth(1), nth(2)]
    assert [i["total"] for i in issued] == [1950, 700]
    assert issued[0]["vat"] == [
        {"rate": "21", "base": 579, "vat": 121, "gross": 700},
        {"rate": "9", "base": 1147, "vat": 103, "gross": 1250},
    ]
    (completed,) = said(told, "run.completed")
    assert (completed["issued"], completed["sent"], completed["total"]) == (2, 2, 2650)
    assert completed["open"] == []
    assert types(told).count("invoice.sent") == 2
    assert len(smtp.mails) == 2
    names = [part.get_filename() for part in smtp.mails[0].iter_attachments()]
    number = str(names[0])[:-4]
    assert names == [f"{number}.pdf", f"{number}.xlsx", f"{number}.xml"]
    states = said(world.bench.published.answers, "invoice.state")
    assert {s["status"] for s in states[-2:]} == {"sent"}


async def test_earlier_months_are_billed_too_each_on_its_own_invoice(world: World) -> None:
    await world.guests("A1")
    await world.sell(
        sale("A1", at=MAY), sale("A1"), sale("A1", at=datetime(2026, 8, 3, tzinfo=UTC))
    )
    told = await world.run()
    assert [i["period"] for i in said(told, "invoice.issued")] == ["2026-05", "2026-07"]
    await world.sell(sale("A1", LUNCH, at=MAY))
    await world.run(run_id="to review", mode="draft")
    drafts = await world.fetch("SELECT supplementary FROM invoice WHERE status = 'draft'")
    assert [row["supplementary"] for row in drafts] == [True]
    told = await world.run(run_id="again")
    (late,) = said(told, "invoice.issued")
    assert (late["period"], late["total"]) == ("2026-05", 1250)
    rows = await world.fetch("SELECT supplementary FROM invoice WHERE number = $1", late["number"])
    assert rows[0]["supplementary"]


async def test_the_same_run_makes_nothing_and_answers_the_same_bytes(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    told = await world.run()
    completed = next(a for a in told if a.type == "run.completed")
    await world.sell(sale("A1"))
    again = await world.command(asked(), asked(by="somebody else"))
    assert again == [completed, completed]
    assert await world.jobs() == []


async def test_a_run_id_with_other_content_is_refused_and_the_first_answer_stands(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    await world.command(asked())
    (refused,) = said(await world.command(asked(mode="draft")))
    assert (refused["type"], refused["command_id"], refused["reason"]) == (
        "command.refused",
        "july",
        "run_id_reused",
    )
    assert len(said(await world.jobs(), "invoice.issued")) == 1


async def test_why_accounts_are_skipped_is_said(world: World) -> None:
    await world.guests("good")
    homeless, nobody = new_id(), None
    await world.registry(
        customer(homeless, street=None), account("homeless", homeless), account("empty", nobody)
    )
    await world.sell(sale("good"), sale("homeless"), sale("empty", LUNCH), sale("unseen"))
    told = await world.run()
    (completed,) = said(told, "run.completed")
    reasons = {s["account"]: s["reason"] for s in completed["skipped"]}
    assert reasons == {
        "empty": "no_holder",
        "homeless": "no_postal_address",
        "unseen": "no_holder",
    }
    assert {(o["account"], o["amount"], o["why"]) for o in completed["open"]} == {
        ("empty", 1250, "no_holder"),
        ("homeless", 700, "no_postal_address"),
        ("unseen", 700, "no_holder"),
    }


async def test_chosen_accounts_alone_are_billed_and_each_is_answered_for(world: World) -> None:
    await world.guests("A1", "A2", "A3")
    await world.sell(sale("A1"), sale("A2"))
    told = await world.run(accounts=("A1", "A3", "nowhere"))
    (completed,) = said(told, "run.completed")
    assert [i["account"] for i in said(told, "invoice.issued")] == ["A1"]
    assert completed["skipped"] == [
        {"account": "A3", "reason": "nothing_to_invoice"},
        {"account": "nowhere", "reason": "account_unknown"},
    ]
    assert completed["open"] == [{"account": "A2", "amount": 700, "why": "not_selected"}]
    await world.sell(sale("A3"))
    told = await world.run(run_id="d", mode="draft", accounts=("A2",))
    assert said(told, "run.completed")[0]["open"] == [
        {"account": "A2", "amount": 700, "why": "draft"},
        {"account": "A3", "amount": 700, "why": "not_selected"},
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"email": None}, "no_address"), ({"email_fictitious": True}, "fictitious_address")],
)
async def test_without_an_address_an_invoice_is_issued_and_undeliverable(
    world: World, smtp: MailServer, changes: dict[str, Any], reason: str
) -> None:
    await world.guests("A1", **changes)
    await world.sell(sale("A1"))
    told = await world.run()
    (undeliverable,) = said(told, "invoice.undeliverable")
    assert (undeliverable["reason"], undeliverable["permanent"]) == (reason, True)
    assert said(told, "run.completed")[0]["sent"] == 0
    assert smtp.mails == []
    assert said(world.bench.published.answers, "invoice.state")[-1]["status"] == "undeliverable"


async def test_what_the_venue_lacks_is_said_before_the_first_number(world: World) -> None:
    await world.guests("A1")
    await world.registry(environment(version=2, iban=None, chamber_number=None))
    await world.sell(sale("A1"))
    (refused,) = said(await world.run(), "command.refused")
    assert (refused["reason"], refused["field"]) == ("environment_incomplete", "chamber_number")
    assert "chamber_number, iban" in refused["message"]
    assert await world.fetch("SELECT FROM number") == []
    await world.registry(environment(version=3))
    assert len(said(await world.run(), "invoice.issued")) == 1  # the same run, asked for again


async def test_a_period_that_has_not_begun_is_refused_with_the_field(world: World) -> None:
    await world.guests("A1")
    await world.command(asked(period="9999-12"), at=JULY)
    (refused,) = said(await world.jobs())
    assert (refused["reason"], refused["field"]) == ("period_in_future", "period")
    await world.command(asked(period="9999-12"), at=JULY)  # the record comes again
    assert await world.jobs() == []
    await world.command(asked(), at=JULY + timedelta(minutes=1))  # the running month is taken
    assert types(await world.jobs())[-1] == "run.completed"


async def test_a_scheduled_run_before_its_periods_end_is_refused_and_not_remembered(
    world: World,
) -> None:
    await world.guests("A1")
    run_id = f"schedule:{ENV}:2026-07"
    await world.command(asked(run_id), at=JULY)
    (refused,) = said(await world.jobs())
    assert refused["reason"] == "period_not_over"
    assert await world.command(asked(run_id), at=JULY + timedelta(days=31)) == []
    assert types(await world.jobs())[-1] == "run.completed"


async def test_a_run_of_the_longest_id_goes_through_to_the_report(
    world: World, smtp: MailServer
) -> None:
    run_id = "🍺/" * 50
    await world.guests("A1")
    await world.registry(environment(version=2, finance_copy="report"))
    await world.sell(sale("A1"))
    told = await world.run(run_id=run_id)
    assert said(told, "run.completed")[0]["run_id"] == run_id
    assert len(said(told, "invoice.issued")) == 1
    assert len(smtp.mails) == 2


@pytest.mark.parametrize("run_id", ["x" * 101, " july", "a\nb"])
async def test_a_run_id_that_is_too_long_or_no_line_of_text_is_refused_and_not_left_unanswered(
    world: World, run_id: str
) -> None:
    message = {**json.loads(encode(asked())), "run_id": run_id}
    found = decode("invoices.commands", json.dumps(message).encode())
    (refused,) = said(await world.command(found))
    assert (refused["command_id"], refused["reason"]) == (run_id, "invalid")
    assert refused["field"] == "run_id"


async def test_an_unknown_environment_is_refused(world: World) -> None:
    (refused,) = said(await world.run(number=77))
    assert refused["reason"] == "environment_unknown"


async def test_a_run_waits_until_what_was_there_before_it_was_seen(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    from services.invoicer.handlers import commands

    await world.bench.handle(commands.handle, [asked()], ends={"pos.decisions": {3: 10}})
    assert await world.jobs() == []
    async with world.bench.database.connection() as connection:
        await connection.execute("INSERT INTO positions VALUES ('pos.decisions', 3, 10)")
    assert "run.completed" in types(await world.jobs())


async def test_many_accounts_go_in_steps_with_progress(world: World) -> None:
    names = [f"A{i:03}" for i in range(45)]
    await world.guests(*names)
    await world.sell(*(sale(name) for name in names))
    told = await world.run("run", send=False)
    assert [(p["done"], p["total"]) for p in said(told, "run.progressed")] == [
        (0, 45), (20, 45), (40, 45), (45, 45),
    ]  # fmt: skip
    assert [i["number"] for i in said(told, "invoice.issued")] == [nth(n) for n in range(1, 46)]


async def test_the_report_of_a_run_over_new_year_lists_invoices_as_they_were_numbered(
    world: World, postgres: Database
) -> None:
    """Where numbers have no zeros before them the new year's first is the shorter one."""
    await world.guests("A1", "A2")
    await world.sell(sale("A1"), sale("A2"))
    await world.run(run_id="december", send=False)
    admin = await asyncpg.connect(postgres.admin)
    await admin.execute(
        "SET session_replication_role = replica;"  # no foreign keys for a moment
        "UPDATE invoicer.invoice SET number = '2027-1' WHERE account = 'A2';"
        "UPDATE invoicer.number SET year = 2027, seq = 1, number = '2027-1',"
        " issued_on = '2027-01-01' WHERE seq = 2"
    )
    await admin.close()
    async with world.bench.transaction() as tx:
        assert [r["account"] for r in await runs.made(tx, ENV, "december")] == ["A1", "A2"]


async def test_finance_gets_a_report_or_a_copy_of_each_as_it_chose(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1")
    await world.guests("A2", street=None)
    await world.registry(environment(version=2, finance_copy="report"))
    await world.sell(sale("A1"), sale("A2"))
    await world.run()
    (report,) = [m for m in smtp.mails if m["To"] == "finance@club.example"]
    body = report.get_body(("plain",))
    assert body is not None
    assert "A2 · Anna Jansen: geen volledig postadres" in body.get_content()
    assert len(smtp.mails) == 2
    await world.registry(environment(version=3, finance_copy="each"))
    await world.sell(sale("A1"))
    told = await world.run(run_id="each")
    assert len(smtp.mails) == 4
    assert types(told).count("invoice.sent") == 1
    assert len({m["Message-ID"] for m in smtp.mails}) == 4


async def test_reports_of_two_venues_with_one_bookkeeper_are_two_mails(
    world: World, smtp: MailServer
) -> None:
    numbers = (ENV, ENV + 1)
    await world.registry(*(environment(number, finance_copy="report") for number in numbers))
    await world.command(*(asked(number=number) for number in numbers))
    await world.jobs()
    assert smtp.recipients == [["finance@club.example"]] * 2
    assert len({m["Message-ID"] for m in smtp.mails}) == 2


async def test_a_schedule_asks_once_and_only_for_what_fell_due_since_it_was_set(
    world: World,
) -> None:
    schedule = Schedule(day=1, hour=0, mode="issue", send=False)
    await world.registry(environment(schedule=schedule))
    assert await world.bench.tick(SCHEDULE) == []  # the first of this month is past
    # Set forty days ago, named anew since, and heard of only now: the worker was off.
    later = schedule.model_copy(update={"hour": 1})
    states = [
        environment(version=2, schedule=later),
        environment(version=3, schedule=later, name="B"),
    ]
    ago = (timedelta(days=40), timedelta(0))
    async with world.bench.transaction() as tx:
        heard = [
            world.bench.incoming(state, at=datetime.now(UTC) - each)
            for state, each in zip(states, ago, strict=True)
        ]
        await registry.handle(heard, tx)
    first = await world.bench.tick(SCHEDULE)
    second = await world.bench.tick(SCHEDULE)
    assert first == second
    assert types(first) == ["invoices.run"]
    (run,) = said(first)
    assert run["run_id"] == f"schedule:{ENV}:{run['period']}"
    from schemas.wire import decode

    await world.command(decode("invoices.commands", first[0].value))
    assert await world.bench.tick(SCHEDULE) == []


async def test_viewers_get_a_statement_with_a_run_that_mails_where_the_venue_wants_it(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1", "A2")
    eye, blind = new_id(), new_id()
    viewed = account("A1", await holder_of(world, "A1"), version=2)
    await world.registry(
        environment(version=2, viewer_statements=True),
        customer(eye, email="eye@club.example"),
        customer(blind, email="no@club.example", email_fictitious=True),
        viewed.model_copy(update={"viewers": (eye, blind)}),
    )
    await world.sell(sale("A1"), sale("A2"))
    told = await world.run()
    assert [s["to"] for s in said(told, "statement.sent")] == ["eye@club.example"]
    assert ["eye@club.example"] in smtp.recipients
    await world.sell(sale("A1"))
    (draft,) = said(await world.run(run_id="d", mode="draft"), "invoice.drafted")
    approve = InvoiceApprove(
        command_id=new_id(), environment=ENV, at=JULY, by="f", invoice_id=draft["invoice_id"]
    )
    await world.command(approve, approve)
    (sent,) = said(await world.jobs(), "statement.sent")
    assert sent["to"] == "eye@club.example"
    assert sent["statement_id"] == made("statement", ENV, "d", "A1", "2026-07")
    await world.sell(sale("A1"))
    assert said(await world.run(run_id="b", send=False), "statement.sent") == []
    await world.registry(environment(version=3))
    await world.sell(sale("A1"))
    assert said(await world.run(run_id="c"), "statement.sent") == []


async def holder_of(world: World, name: str) -> str:
    (row,) = await world.fetch("SELECT holder::text FROM account WHERE account = $1", name)
    return str(row["holder"])


async def test_over_the_change_of_time_and_the_turn_of_the_year_sales_fall_in_the_venues_month(
    world: World,
) -> None:
    await world.guests("A1")
    moments = {
        "2025-12": datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC),
        "2026-01": datetime(2025, 12, 31, 23, 0, tzinfo=UTC),  # the new year in Amsterdam
        "2026-03": datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC),  # summer time since the 29th
        "2026-04": datetime(2026, 3, 31, 22, 0, tzinfo=UTC),
        "2025-10": datetime(2025, 10, 31, 22, 59, 59, tzinfo=UTC),  # winter time since the 26th
        "2025-11": datetime(2025, 10, 31, 23, 0, tzinfo=UTC),
    }
    await world.sell(*(sale("A1", at=at) for at in moments.values()))
    told = await world.run("run", period="2026-03", send=False)
    assert [i["period"] for i in said(told, "invoice.issued")] == [
        "2025-10", "2025-11", "2025-12", "2026-01", "2026-03",
    ]  # fmt: skip
    assert said(told, "run.completed")[0]["open"] == []
    (april,) = said(await world.run("run", run_id="b", period="2026-04"), "invoice.issued")
    assert (april["period"], april["total"]) == ("2026-04", 700)


async def test_a_run_never_stops_for_one_account(world: World) -> None:
    await world.guests("A1", "A2", "A3")
    await world.sell(sale("A1"), sale("A2"), sale("A3"))
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE sale_line SET vat_rate = 'odd' WHERE account = 'A2'")
    told = await world.run("run", send=False)
    for _ in range(5):
        await world.bench.make_due("run")
        told += await world.jobs("run")
    (completed,) = said(told, "run.completed")
    assert completed["skipped"] == [{"account": "A2", "reason": "not_processed"}]
    assert [i["account"] for i in said(told, "invoice.issued")] == ["A1", "A3"]
    assert [i["number"] for i in said(told, "invoice.issued")] == [nth(1), nth(2)]
    # Another run, of a name like that of the job that went on without A2.
    assert types(await world.run("run", run_id="july/1", accounts=("A1",)))[-1] == "run.completed"


@pytest.mark.parametrize("other", [False, True], ids=["the same", "another under its id"])
async def test_a_run_that_two_workers_are_asked_for_at_once_is_one_run(
    world: World, other: bool
) -> None:
    """It stands in two partitions, or on the retries too: their positions hold up neither."""
    await world.guests("A1")
    await world.sell(sale("A1", BEER))
    again = asked(period="2026-06") if other else asked()
    async with world.bench.transaction() as tx:
        await commands.handle([world.bench.incoming(asked())], tx)
        second = asyncio.create_task(world.command(again))
        await asyncio.wait([second], timeout=0.5)
    reasons = [one["reason"] for one in said(await second, "command.refused")]
    assert reasons == (["run_id_reused"] if other else [])
    assert types(await world.jobs("run")).count("run.completed") == 1
    assert await world.fetch("SELECT FROM job WHERE kind = 'run' AND state <> 'done'") == []
    assert len(await world.fetch("SELECT FROM job WHERE kind = 'run'")) == 1


async def test_a_second_job_of_a_run_that_is_through_says_nothing_more(world: World) -> None:
    """As versions of before could make one: it must not hold up the runs after it."""
    await world.guests("A1")
    await world.run("run")
    async with world.bench.transaction() as tx:
        payload = {"environment": ENV, "run_id": "july"}
        await tx.add_job("run", f"{ENV}/july/None", payload, serial=f"run/{ENV}")
    assert await world.jobs("run") == []
    assert types(await world.run("run", run_id="next")).count("run.completed") == 1


async def test_what_comes_to_nothing_waits_and_comes_along_with_later_sales(world: World) -> None:
    """A round on the house: 0 to pay, with its lines. There is no invoice of nothing."""
    await world.guests("A1")
    treat = sale("A1", BEER, ("Van het huis", "-2", 350, "21"))
    await world.sell(treat)
    for mode in ("draft", "issue"):
        (completed,) = said(await world.run("run", run_id=mode, mode=mode), "run.completed")
        assert completed["skipped"] == [{"account": "A1", "reason": "nothing_to_invoice"}]
        assert (completed["drafted"], completed["issued"], completed["open"]) == (0, 0, [])
    await world.sell(sale("A1", LUNCH))
    told = await world.run("run", run_id="later")
    (invoice,) = said(told, "invoice.issued")
    assert invoice["total"] == 1250
    assert {"sale_id": treat.sale_id, "amount": 0} in invoice["sales"]
    (completed,) = said(await world.run("run", run_id="again"), "run.completed")
    assert (completed["issued"], completed["skipped"]) == (0, [])


async def test_what_comes_to_less_than_nothing_waits_and_comes_along_with_later_sales(
    world: World,
) -> None:
    """No till can ask for it (a sale is 0 at least, and no more is taken back than was sold); were
    it to stand in the books nevertheless, it would hold nobody up and not be lost."""
    await world.guests("A1", "A2")
    returned = sale("A1", BEER)
    await world.sell(returned, sale("A1", LUNCH, at=MAY), sale("A2"))
    await world.fetch(
        "INSERT INTO sale_line (environment, sale_id, line, account, booked_at, description, "
        "quantity, unit_price, vat_rate, approved) SELECT environment, sale_id, 1, account, "
        "booked_at, 'Retour', '-4', 350, '21', -1400 FROM sale_line WHERE sale_id = $1",
        returned.sale_id,
    )
    told = await world.run("run", accounts=("A1", "A2"))
    assert [(i["account"], i["period"], i["total"]) for i in said(told, "invoice.issued")] == [
        ("A1", "2026-05", 1250),  # one month never keeps another back
        ("A2", "2026-07", 700),
    ]
    # Nor does one that comes to nothing turn it into an invoice.
    await world.sell(sale("A1", BEER, ("Van het huis", "-2", 350, "21"), at=MAY))
    (completed,) = said(await world.run("run", run_id="b"), "run.completed")
    assert completed["skipped"] == [{"account": "A1", "reason": "negative_total"}]
    assert completed["open"] == [{"account": "A1", "amount": -700, "why": "negative_total"}]
    await world.sell(sale("A1", LUNCH))
    (invoice,) = said(await world.run("run", run_id="c"), "invoice.issued")
    assert (invoice["account"], invoice["total"]) == ("A1", 550)
    assert invoice["vat"] == [
        {"rate": "21", "base": -579, "vat": -121, "gross": -700},
        {"rate": "9", "base": 1147, "vat": 103, "gross": 1250},
    ]


async def test_a_run_that_drafts_says_which_credit_notes_wait_for_one_that_issues(
    world: World,
) -> None:
    await world.guests("A1", "A2")
    gone, half = sale("A1"), sale("A2", BEER, LUNCH)
    await world.sell(gone, half)
    await world.run("run", send=False)
    await world.sell(reversal(gone), reversal(half, 700), sale("A2"))
    told = await world.run("run", run_id="d", mode="draft")
    assert [d["account"] for d in said(told, "invoice.drafted")] == ["A2"]
    (completed,) = said(told, "run.completed")
    assert completed["skipped"] == [{"account": "A1", "reason": "credit_due"}]
    assert completed["open"] == [
        {"account": "A1", "amount": -700, "why": "credit_due"},
        {"account": "A2", "amount": 700, "why": "draft"},
        {"account": "A2", "amount": -700, "why": "credit_due"},
    ]
    told = await world.run("run", run_id="i", send=False)
    assert {(c["account"], c["total"]) for c in said(told, "credit_note.issued")} == {
        ("A1", 700), ("A2", 700),
    }  # fmt: skip
    (completed,) = said(told, "run.completed")
    assert completed["open"] == []
    assert (completed["credit_notes"], completed["credited"]) == (2, 1400)
