"""The report of a run that finance gets: what was made, what was not, and why; with a workbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.mail import XLSX, assemble
from services.invoicer.documents.mail_words import WORDS, reason_text
from services.invoicer.documents.mime import Attachment, Composed, Envelope
from services.invoicer.documents.model import Language, Seller
from services.invoicer.documents.text import clean, money, month, rate_label
from services.invoicer.documents.workbook import Book, Cell, Column
from services.invoicer.vat import VatRow

_SHOWN = 20  # rows of a list in the mail itself; the workbook has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDocument:
    """An invoice, credit note or draft (`number` None) that the run made. `total` and `vat` are
    positive minor units. `mailed_to` is empty where it was not mailed; `unmailed` then says why,
    as a reason code."""

    kind: Literal["invoice", "credit_note"] = "invoice"
    number: str | None
    account: str
    name: str
    period: str
    net: int
    vat: int
    total: int
    mailed_to: str = ""
    unmailed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    account: str
    reason: str
    """A code, as in `run.completed`."""
    name: str = ""
    """Of the account's holder, else what the account is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillOpen:
    account: str
    amount: int
    why: str
    """A code, as in `run.completed`."""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many there are, listed or not; `credited` is what the credit notes come to, `sent` are
    invoices and credit notes that were handed to the mailer."""

    drafted: int
    issued: int
    notes: int
    credited: int
    sent: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What `run.completed` says, with names. `vat` and `total` are the run's, over what was drafted
    or issued; credit notes are not in them. Its lists may hold the first of very many."""

    run_id: str
    seller: Seller
    language: Language
    period: str
    currency: str
    completed_on: date
    documents: tuple[ReportedDocument, ...]
    skipped: tuple[Skipped, ...]
    open: tuple[StillOpen, ...]
    vat: tuple[VatRow, ...]
    total: int
    counted: Counted


def compose_run_report(report: RunReport, envelope: Envelope) -> Composed:
    """The report as mail, its workbook attached. Raises BadAddressError as `mail.compose` does."""
    words, language = WORDS[report.language], report.language
    period = month(report.period, language)
    counts = report.counted
    drafts, issued, notes = counts.drafted, counts.issued, counts.notes
    listed = "workbook" if drafts + issued + notes <= len(report.documents) else "workbook_first"
    fill = {
        "month": period,
        "venue": clean(report.seller.shown_name),
        "total": money(report.total, report.currency, language),
        "issued": words["one_invoice" if issued == 1 else "invoices"].format(count=issued),
        "drafted": words["one_draft" if drafts == 1 else "drafts"].format(count=drafts),
        "notes": words["one_note" if notes == 1 else "notes"].format(count=notes),
        "credited": money(counts.credited, report.currency, language),
    }
    subject = "subject_report"
    if not issued and (drafts or notes):
        subject = "subject_report_drafts" if drafts else "subject_report_credits"
    values: dict[str, Any] = {
        "subject": words[subject].format(**fill),
        "preview": fill["credited" if subject == "subject_report_credits" else "total"],
        "intro": words["report_intro"].format(**fill),
        "counts": _counts(report),
        "vat_head": [words[name] for name in ("rate", "base", "vat", "gross")],
        "vat_rows": _vat_rows(report),
        "sections": _sections(report),
        "closing": [
            *([words["review"]] if drafts else []),
            words[listed],
            words["run"].format(run_id=clean(report.run_id)),
        ],
    }
    attached = Attachment(
        name=f"{_file_word(report.language)}-{report.period}.xlsx",
        media_type=XLSX,
        content=render_run_workbook(report),
    )
    return assemble("report", values, report.seller, language, envelope, [attached])


def _file_word(language: Language) -> str:
    return "facturatie" if language == "nl" else "invoicing"


def _counts(report: RunReport) -> list[tuple[str, str]]:
    """What there is of each kind; nothing is said of what such a run never makes."""
    words = WORDS[report.language]
    counts = report.counted
    drafts, issued, notes = counts.drafted, counts.issued, counts.notes
    left = sum(each.amount for each in report.open)
    credited = money(counts.credited, report.currency, report.language)
    counted = [
        ("drafted", drafts, drafts > 0),
        ("issued", issued, issued > 0 or not drafts),
        ("credited", notes, notes > 0),
        ("sent", counts.sent, issued + notes > 0),
        ("skipped", counts.skipped, True),
    ]
    return [
        *((words[name], str(count)) for name, count, shown in counted if shown),
        (words["total"], money(report.total, report.currency, report.language)),
        *([(words["credited_total"], credited)] if notes else []),
        (words["open"], money(left, report.currency, report.language)),
    ]


def _vat_rows(report: RunReport) -> list[tuple[str, ...]]:
    def amount(value: int) -> str:
        return money(value, report.currency, report.language)

    rows = [
        (rate_label(row.rate, report.language), *map(amount, (row.base, row.vat, row.gross)))
        for row in report.vat
    ]
    sums = (
        sum(row.base for row in report.vat),
        sum(row.vat for row in report.vat),
        sum(row.gross for row in report.vat),
    )
    return [*rows, (WORDS[report.language]["total"], *map(amount, sums))]


def _sections(report: RunReport) -> list[dict[str, Any]]:
    """What a person must look at, first of all what did not reach its guest."""
    words, language = WORDS[report.language], report.language

    def reason(code: str) -> str:
        return reason_text(code, language)

    lists = {
        "undelivered": [
            f"{each.number or words['draft']} · {each.account} · {clean(each.name)}: "
            f"{reason(each.unmailed)}"
            for each in report.documents
            if each.unmailed
        ],
        "skipped": [f"{_whose(each)}: {reason(each.reason)}" for each in report.skipped],
        "open": [
            f"{_whose(each)}: {money(each.amount, report.currency, language)}, {reason(each.why)}"
            for each in report.open
        ],
    }
    return [
        {"heading": words[name], "rows": _first(rows, words["and_more"])}
        for name, rows in lists.items()
        if rows
    ]


def _whose(each: Skipped | StillOpen) -> str:
    return " · ".join(part for part in (each.account, clean(each.name)) if part)


def _first(rows: Sequence[str], more: str) -> list[str]:
    left = len(rows) - _SHOWN
    return [*rows[:_SHOWN], *([more.format(count=left)] if left > 0 else [])]


def render_run_workbook(report: RunReport) -> bytes:
    """Sheets for the documents, the VAT, what was skipped and what stays open."""
    words, labels = WORDS[report.language], LABELS[report.language]
    book = Book(
        title=words["report"].format(month=month(report.period, report.language)),
        author=report.seller.legal_name,
        currency=report.currency,
        language=report.language,
        made_on=report.completed_on,
    )
    _documents_sheet(book, report)
    vat: list[tuple[Cell, ...]] = [
        (Decimal(row.rate), row.base, row.vat, row.gross) for row in report.vat
    ]
    amounts = [
        Column(header=words[name], kind="money", width=16, summed=True)
        for name in ("base", "vat", "gross")
    ]
    book.table(
        words["vat"],
        (Column(header=words["rate"], kind="rate"), *amounts),
        vat,
        total=labels["total"],
    )
    whose = (Column(header=words["account"], width=18), Column(header=words["name"], width=36))
    book.table(
        words["skipped"],
        (*whose, Column(header=words["reason"], width=44)),
        [
            (each.account, each.name, reason_text(each.reason, report.language))
            for each in report.skipped
        ],
        total=labels["total"],
    )
    book.table(
        words["open"],
        (
            *whose,
            Column(header=words["amount"], kind="money", width=16, summed=True),
            Column(header=words["why"], width=44),
        ),
        [
            (each.account, each.name, each.amount, reason_text(each.why, report.language))
            for each in report.open
        ],
        total=labels["total"],
    )
    return book.bytes()


def _documents_sheet(book: Book, report: RunReport) -> None:
    words, labels = WORDS[report.language], LABELS[report.language]
    columns = (
        Column(header=words["number"], width=18),
        Column(header=words["kind"], width=14),
        Column(header=words["account"], width=18),
        Column(header=words["name"], width=36),
        Column(header=labels["period"], width=12),
        Column(header=words["base"], kind="money", width=15, summed=True),
        Column(header=words["vat"], kind="money", width=13, summed=True),
        Column(header=words["gross"], kind="money", width=15, summed=True),
        Column(header=words["mailed_to"], width=36),
        Column(header=words["undelivered"], width=30),
    )
    rows: list[tuple[Cell, ...]] = []
    for each in report.documents:
        sign = -1 if each.kind == "credit_note" else 1  # so that the sums are what is owed
        rows.append(
            (
                each.number or words["draft"],
                words[f"document_{each.kind}"],
                each.account,
                each.name,
                each.period,
                sign * each.net,
                sign * each.vat,
                sign * each.total,
                each.mailed_to,
                reason_text(each.unmailed, report.language) if each.unmailed else "",
            )
        )
    book.table(words["report"].format(month=report.period), columns, rows, total=labels["total"])
