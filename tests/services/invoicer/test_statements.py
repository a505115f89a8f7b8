"""Statements of transactions: answered or mailed, as workbook or PDF."""

import base64
import io
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import openpyxl
import pypdf

from schemas.invoices import StatementRequest
from tests.services.invoicer.people import account, customer, environment
from tests.services.invoicer.test_documents import request as document
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
from tests.support.mails import MailServer


def request(**changes: Any) -> StatementRequest:
    values: dict[str, Any] = {
        "statement_id": new_id(),
        "environment": ENV,
        "account": "A1",
        "from_": date(2026, 7, 1),
        "until": date(2026, 8, 1),
        "format": "xlsx",
        "by": "finance",
    }
    return StatementRequest(**{**values, **changes})


async def a_month(world: World) -> None:
    await world.guests("A1", "A2", email="anna@club.example")
    back = sale("A1", LUNCH)
    before = sale("A1", at=datetime(2026, 6, 30, 21, 59, tzinfo=UTC))
    first = sale("A1", BEER, at=datetime(2026, 6, 30, 22, 0, tzinfo=UTC))
    await world.sell(before, first, back, reversal(back), sale("A2", BEER))


def content(told: list[Any]) -> bytes:
    return b"".join(base64.b64decode(p["content"]) for p in said(told, "document.part"))


async def test_a_statement_lists_what_was_sold_and_taken_back_by_the_venues_clock(
    world: World,
) -> None:
    await a_month(world)
    asked = request()
    assert types(await world.command(asked)) == ["command.applied"]
    told = await world.jobs()
    sheet = openpyxl.load_workbook(io.BytesIO(content(told))).active
    rows = list(sheet.iter_rows(min_row=2, values_only=True))  # type: ignore[union-attr]
    assert [(r[3], r[7]) for r in rows[:3]] == [
        ("Bier", 7),
        ("Lunch", 12.5),
        ("Teruggenomen: Lunch", -12.5),
    ]
    assert len(rows) == 4  # and the total
    again = await world.command(asked)
    assert types(again) == ["command.applied", "document.part"]
    assert again[1:] == told


async def test_a_statement_may_begin_and_end_at_a_moment(world: World) -> None:
    await a_month(world)
    last, midnight = (datetime(2026, 6, 30, *at, tzinfo=UTC) for at in ((21, 59), (22, 0)))
    for first, until in ((last, midnight), (last, date(2026, 7, 1))):
        await world.command(request(from_=first, until=until))
        told = await world.jobs()
        sheet = openpyxl.load_workbook(io.BytesIO(content(told))).active
        rows = list(sheet.iter_rows(min_row=2, values_only=True))  # type: ignore[union-attr]
        assert [(r[3], r[7]) for r in rows[:-1]] == [("Bier", 7)]
        (part,) = said(told, "document.part")
        assert part["file_name"] == "statement-A1-2026-06-30-2026-06-30.xlsx"
    twice = [datetime(2026, 10, 25, *at, tzinfo=UTC) for at in ((0, 30), (1, 15))]  # 2:30, 2:15
    assert said(await world.command(request(from_=twice[0], until=twice[1])), "command.applied")
    nothing = await world.command(request(from_=date(2026, 7, 1), until=midnight))
    (refused,) = said(nothing, "command.refused")
    assert (refused["reason"], refused["field"]) == ("invalid", "until")


async def test_a_discount_reads_as_it_does_on_the_invoice(world: World) -> None:
    """An invoice has no negative price (EN 16931 BR-27): its quantity is."""
    await world.guests("A1")
    await world.sell(sale("A1", BEER, ("Korting", "1", -300, "21"), ("Retour", "-2", -50, "0")))
    (invoice,) = said(await world.run(send=False), "invoice.issued")
    await world.command(request())
    its = await world.command(document(invoice_id=invoice["invoice_id"], format="xlsx"))
    of_statement, of_invoice = (
        openpyxl.load_workbook(io.BytesIO(content(told))).worksheets[0]
        for told in (await world.jobs(), its)
    )
    shown = [r[3:8] for r in of_statement.iter_rows(min_row=2, values_only=True)][:3]
    assert [(what, count, price) for what, count, price, *_ in shown] == [
        ("Bier", 2, 3.5),
        ("Korting", -1, 3),
        ("Retour", 2, 0.5),
    ]
    assert [each[:3] for each in shown] == [
        r[2:5] for r in of_invoice.iter_rows(min_row=2, values_only=True)
    ][:3]


async def test_the_workbook_of_a_statement_says_each_thing_under_a_word_of_its_own(
    world: World,
) -> None:
    await a_month(world)
    for account_, buyer in (("A1", ["Aan"]), (None, [])):
        asked = request(account=account_)
        await world.command(asked)
        book = openpyxl.load_workbook(io.BytesIO(content(await world.jobs())))
        facts = [row[0] for row in book["Overzicht"].values if row[0]]
        assert facts == ["Bij", "Rekening", *buyer, "Van", "Tot en met", "Totaal"]


async def test_a_statement_of_all_accounts_as_a_pdf(world: World) -> None:
    await a_month(world)
    await world.command(request(account=None, format="pdf"))
    reader = pypdf.PdfReader(io.BytesIO(content(await world.jobs())))
    text = "".join(page.extract_text() for page in reader.pages)
    for word in ("Transactieoverzicht", "A2", "Bier", "Lunch", "14,00"):
        assert word in text


async def test_a_statement_is_mailed_to_its_holder(world: World, smtp: MailServer) -> None:
    await a_month(world)
    asked = request(to="holder")
    await world.command(asked)
    told = await world.jobs()
    (sent,) = said(told, "statement.sent")
    assert next(a.key for a in told if a.type == "statement.sent") == f"{ENV}:A1"
    assert (sent["statement_id"], sent["to"]) == (asked.statement_id, "anna@club.example")
    (mail,) = smtp.mails
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "statement-A1-2026-07-01-2026-07-31.xlsx"
    ]
    assert mail["Subject"] == "Transacties juli 2026 bij De Club"
    assert "Beste Anna Jansen," in plain(mail)


async def test_a_statement_that_does_not_arrive_is_told_with_code_and_words(
    world: World, smtp: MailServer
) -> None:
    await a_month(world)
    smtp.answers["typo@club.example"] = "550 5.1.1 no such user"
    for account_, key in (("A1", f"{ENV}:A1"), (None, str(ENV))):
        asked = request(account=account_, to="typo@club.example")
        await world.command(asked)
        told = await world.jobs()
        (failed,) = said(told, "statement.undeliverable")
        assert next(a.key for a in told if a.type == "statement.undeliverable") == key
        assert (failed["statement_id"], failed["to"]) == (asked.statement_id, "typo@club.example")
        assert (failed.get("account"), failed["permanent"]) == (account_, True)
        assert (failed["code"], failed["reason"]) == (550, "5.1.1 no such user")


async def test_who_may_view_an_account_is_told_so_and_is_not_greeted_as_its_holder(
    world: World, smtp: MailServer
) -> None:
    await a_month(world)
    eye = new_id()
    (held,) = await world.fetch("SELECT holder::text AS it FROM account WHERE account = 'A1'")
    viewed = account("A1", held["it"], version=2).model_copy(update={"viewers": (eye,)})
    await world.registry(customer(eye, first_name="Piet", email="Piet@club.example"), viewed)
    await world.command(request(to="viewers", until=date(2026, 7, 15)))
    await world.command(request(to="books@club.example"))
    await world.jobs()
    first, second = sorted(smtp.mails, key=lambda each: str(each["To"]))
    assert (first["To"], second["To"]) == ("Piet@club.example", "books@club.example")
    assert "Beste Piet Jansen," in plain(first)
    assert "omdat u deze rekening van Anna Jansen mag inzien" in plain(first)
    assert first["Subject"] == "Transacties 1 juli 2026 t/m 14 juli 2026 bij De Club"
    assert "Goedendag," in plain(second)
    assert "Anna" not in plain(second)


async def test_the_next_holder_and_viewers_get_no_purchases_of_who_held_the_account_before(
    world: World, smtp: MailServer
) -> None:
    """Only what they are billed for: an address that finance gives gets all of it, as before."""
    await world.guests("A1", email="anna@club.example")
    told = ("billed", "settled", "late", "own", "own settled")
    billed, settled, late, own, own_settled = (
        sale("A1", (name, "1", 100 + n, "21"), at=datetime(2026, 7, 2 + n, 20, tzinfo=UTC))
        for n, name in enumerate(told)
    )
    await world.sell(billed, settled, reversal(settled))
    assert types(await world.run("run")).count("invoice.issued") == 1
    ben, eye = new_id(), new_id()
    people = [customer(ben, email="ben@club.example"), customer(eye, email="eye@club.example")]
    ours = account("A1", ben, version=2).model_copy(update={"viewers": (eye,)})
    await world.registry(*people, ours)
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE account SET held_since = '2026-07-04Z'")
    await world.sell(late, own, own_settled, reversal(own_settled))
    asked = [request(to=to) for to in ("holder", "viewers", "books@club.example")]
    await world.command(*asked)
    await world.jobs()
    seen = {}
    for mail in smtp.mails:
        if str(mail["Subject"]).startswith("Transacties"):
            (attached,) = mail.iter_attachments()
            sheet = openpyxl.load_workbook(io.BytesIO(attached.get_content())).worksheets[0]
            rows = list(sheet.iter_rows(min_row=2, max_row=sheet.max_row - 1, values_only=True))
            seen[str(mail["To"])] = {str(row[3]) for row in rows if row[3]}
    of_ben = {"late", "own", "own settled", "Teruggenomen: own settled"}
    assert seen["ben@club.example"] == seen["eye@club.example"] == of_ben
    assert seen["books@club.example"] == of_ben | {"billed", "settled", "Teruggenomen: settled"}


async def test_when_an_account_changes_hands_is_noted_whichever_worker_writes_it(
    world: World,
) -> None:
    """An older one beside newer ones writes the holder alone. The first holder is nobody's next."""
    await world.guests("A1", "A2", "A3")
    await world.registry(account("A2", new_id(), version=2))
    await world.registry(account("A3", None, version=2), account("A4", None))
    await world.registry(account("A3", new_id(), version=3), account("A4", new_id(), version=2))
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE account SET holder = $1 WHERE account = 'A1'", new_id())
    noted = await world.fetch("SELECT account FROM account WHERE held_since > '2026-01-01Z'")
    assert sorted(row["account"] for row in noted) == ["A1", "A2", "A3"]


async def test_each_viewer_gets_it_in_a_language_of_their_own(
    world: World, smtp: MailServer
) -> None:
    await a_month(world)
    eyes = [new_id() for _ in range(3)]
    (held,) = await world.fetch("SELECT holder::text AS it FROM account WHERE account = 'A1'")
    viewed = account("A1", held["it"], version=2).model_copy(update={"viewers": tuple(eyes)})
    people = [
        customer(eye, email=f"{n}{language}@club.example", language=language)
        for n, (eye, language) in enumerate(zip(eyes, ("en", "nl", "en"), strict=True))
    ]
    await world.registry(*people, viewed)
    asked = request(to="viewers", format="pdf")
    await world.command(asked)
    told = await world.jobs()
    assert {(s["statement_id"], s["to"]) for s in said(told, "statement.sent")} == {
        (asked.statement_id, f"{n}{language}@club.example")
        for n, language in enumerate(("en", "nl", "en"))
    }
    assert {a.key for a in told if a.type == "statement.sent"} == {f"{ENV}:A1"}
    for mail in smtp.mails:
        (attached,) = mail.iter_attachments()
        page = pypdf.PdfReader(io.BytesIO(attached.get_content())).pages[0].extract_text()
        english = "en@" in mail["To"]
        assert ("Statement" in page) is english
        assert mail["Subject"].startswith("Transactions" if english else "Transacties")


async def test_lines_stand_as_the_till_had_them_sold_and_taken_back(world: World) -> None:
    await world.guests("A1")
    zebra, ale, off = ("Zebra", "1", 500, "21"), ("Ale", "1", 400, "21"), ("Off", "1", -100, "21")
    both = sale("A1", zebra, off, ale, off)
    await world.sell(both, reversal(both))
    await world.command(request())
    sheet = openpyxl.load_workbook(io.BytesIO(content(await world.jobs()))).active
    rows = list(sheet.iter_rows(min_row=2, max_row=7, values_only=True))  # type: ignore[union-attr]
    assert [(r[3], r[7]) for r in rows] == [
        ("Zebra", 5), ("Off", -1), ("Ale", 4), ("Off", -1),
        ("Teruggenomen: Zebra", -3), ("Teruggenomen: Ale", -4),
    ]  # fmt: skip


def plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_a_statement_that_is_too_long_for_paper_is_refused_with_what_to_do(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(*(sale("A1", *[BEER] * 100) for _ in range(21)))
    asked = request(format="pdf")
    applied = await world.command(asked)
    told = await world.jobs()
    (refused,) = said(told, "command.refused")
    assert refused["reason"] == "too_long"
    assert "xlsx" in refused["message"]
    assert await world.command(asked) == [*applied, *told]
    await world.command(request(format="xlsx"))
    assert content(await world.jobs()).startswith(b"PK")


async def test_viewers_get_with_a_run_a_workbook_of_what_is_too_long_for_paper(
    world: World, smtp: MailServer
) -> None:
    await world.guests("A1")
    eye = new_id()
    (held,) = await world.fetch("SELECT holder::text AS it FROM account")
    viewed = account("A1", held["it"], version=2).model_copy(update={"viewers": (eye,)})
    venue = environment(version=2, viewer_statements=True)
    await world.registry(venue, customer(eye, email="eye@club.example"), viewed)
    await world.sell(*(sale("A1", *[BEER] * 100) for _ in range(21)))
    told = await world.run("run", "statement", "mail")
    assert said(told, "command.refused") == []
    assert [each["to"] for each in said(told, "statement.sent")] == ["eye@club.example"]
    (mail,) = smtp.mails
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "statement-A1-2026-07-01-2026-07-31.xlsx"
    ]


async def test_what_cannot_be_delivered_is_refused(world: World) -> None:
    await a_month(world)
    for changes, reason in (
        ({"account": "nowhere"}, "account_unknown"),
        ({"to": "viewers"}, "no_address"),
        ({"account": None, "to": "holder"}, "account_required"),
        ({"environment": 7}, "environment_unknown"),
    ):
        (refused,) = said(await world.command(request(**changes)))
        assert refused["reason"] == reason
