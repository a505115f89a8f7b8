"""Finance's report of a run: what was made, what was not, and why."""

import io
from dataclasses import replace
from datetime import date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import openpyxl

from services.invoicer.documents.mime import Envelope
from services.invoicer.documents.report import (
    Counted,
    ReportedDocument,
    RunReport,
    Skipped,
    StillOpen,
    compose_run_report,
    render_run_workbook,
)
from services.invoicer.vat import VatRow
from tests.services.invoicer.documents.samples import AMSTERDAM, SELLER

ENVELOPE = Envelope(
    mail_id="run-2026-11",
    sender="rekening@onaccount.example",
    to="finance@derdehelft.example",
    reply_to=None,
    at=datetime(2026, 12, 1, 9, 30, tzinfo=AMSTERDAM),
)


def made(number: str | None, account: str, total: int, **changes: str) -> ReportedDocument:
    vat = total * 21 // 121
    one = ReportedDocument(
        number=number,
        account=account,
        name="Gast",
        period="2026-11",
        net=total - vat,
        vat=vat,
        total=total,
        mailed_to="gast@voorbeeld.example",
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def counted(*documents: ReportedDocument, skipped: int = 0) -> Counted:
    notes = [each.total for each in documents if each.kind == "credit_note"]
    drafted = sum(each.number is None for each in documents)
    return Counted(
        drafted=drafted,
        issued=len(documents) - len(notes) - drafted,
        notes=len(notes),
        credited=sum(notes),
        sent=sum(bool(each.mailed_to) for each in documents),
        skipped=skipped,
    )


DOCUMENTS = (
    made("2026-00001", "28900001", 12100),
    made("2026-00002", "28900002", 24200, mailed_to="", unmailed="fictitious_address"),
    made("2026-00003", "28900003", 605, kind="credit_note"),
)
REPORT = RunReport(
    run_id="2026-11-maand",
    seller=SELLER,
    language="nl",
    period="2026-11",
    currency="EUR",
    completed_on=date(2026, 12, 1),
    documents=DOCUMENTS,
    counted=counted(*DOCUMENTS, skipped=1),
    skipped=(Skipped(account="28900009", reason="no_holder", name="Terras"),),
    open=(StillOpen(account="28900009", amount=1250, why="no_holder", name="Terras"),),
    vat=(VatRow(rate="21", base=30000, vat=6300, gross=36300),),
    total=36300,
)


def report_mail(report: RunReport) -> EmailMessage:
    return message_from_bytes(
        compose_run_report(report, ENVELOPE).content, _class=EmailMessage, policy=default
    )


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def test_it_says_what_was_made_and_what_finance_must_act_on() -> None:
    message = report_mail(REPORT)
    assert message["Subject"] == (
        "Facturatie november 2026: 2 facturen, €\u00a0363,00 (De Derde Helft)"
    )
    for kind in ("plain", "html"):
        said = body(message, kind)
        for saying in (
            "2026-00002 · 28900002 · Gast: fictief e-mailadres",
            "28900009 · Terras: geen houder gekoppeld",
            "28900009 · Terras: €\u00a012,50, geen houder gekoppeld",
            "€\u00a063,00",
            "2026-11-maand",
        ):
            assert saying in said


def test_it_says_that_drafts_await_approval() -> None:
    drafts = tuple(replace(each, number=None) for each in REPORT.documents[:1])
    message = report_mail(
        replace(REPORT, language="en", documents=drafts, counted=counted(*drafts))
    )
    assert message["Subject"].startswith("Invoicing November 2026: 1 draft,")
    assert "await approval" in body(message, "plain")
    assert "Drafts: 1" in body(message, "plain")
    assert "Credit notes" not in body(message, "plain")
    assert "Drafts" not in body(report_mail(replace(REPORT, language="en")), "plain")


def test_a_run_of_thousands_stays_a_short_mail_with_all_of_it_in_the_workbook() -> None:
    many = tuple(Skipped(account=f"2890{n:05}", reason="no_address") for n in range(3000))
    message = report_mail(replace(REPORT, skipped=many))
    assert "en nog 2980, zie de bijlage" in body(message, "plain")
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "facturatie-2026-11.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(attached.get_content()))
    assert book["Overgeslagen"].max_row == 3001


def test_more_documents_than_the_workbook_lists_are_counted_and_it_says_so() -> None:
    many = replace(counted(), issued=30_000, notes=12, sent=29_000, skipped=20_000)
    message = report_mail(replace(REPORT, counted=many))
    assert "30000 facturen" in message["Subject"]
    text = body(message, "plain")
    for shown in (
        "Klaargezet om te mailen: 29000",
        "Overgeslagen: 20000",
        "meer documenten dan het werkblad",
    ):
        assert shown in text
    assert "Alle documenten" not in text


def test_a_run_that_made_nothing_can_be_reported() -> None:
    nothing = replace(REPORT, documents=(), skipped=(), open=(), vat=(), total=0, counted=counted())
    assert "0 facturen" in report_mail(nothing)["Subject"]


def test_a_run_that_only_credits_says_how_much() -> None:
    one = DOCUMENTS[2:]
    notes = replace(REPORT, documents=one, vat=(), total=0, counted=counted(*one))
    message = report_mail(notes)
    assert message["Subject"].startswith("Facturatie november 2026: 1 creditnota, €\u00a06,05 (")
    assert "Gecrediteerd: €\u00a06,05" in body(message, "plain")
    english = report_mail(replace(REPORT, language="en"))
    assert "2 invoices" in english["Subject"]
    assert "Credited: €6.05" in body(english, "plain")


def test_the_workbook_sums_what_is_owed_so_credit_notes_count_against_it() -> None:
    book = openpyxl.load_workbook(io.BytesIO(render_run_workbook(REPORT)), data_only=True)
    sheet = book.worksheets[0]
    assert [sheet.cell(row, 8).value for row in range(2, 6)] == [121, 242, -6.05, 356.95]
    assert sheet["B4"].value == "Creditnota"
    assert book["Btw"]["C2"].value == 63
    assert book["Nog niet gefactureerd"]["B2"].value == "Terras"
    assert book["Nog niet gefactureerd"]["C2"].value == 12.5


def test_the_same_report_has_the_same_bytes() -> None:
    first, second = (compose_run_report(REPORT, ENVELOPE) for _ in range(2))
    assert first == second
