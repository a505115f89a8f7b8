"""Statements as files: plain functions of plain values; the same statement, the same bytes."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.mail import XLSX
from services.invoicer.documents.typesetting import NotSet, Standard, pdf
from services.invoicer.documents.workbook import Book, Cell, Column
from services.invoicer.statements.model import Statement
from services.invoicer.statements.page import account_text, described, page_data, period
from services.invoicer.statements.words import WORDS

Format = Literal["xlsx", "pdf"]
MEDIA_TYPES: Mapping[Format, str] = {"xlsx": XLSX, "pdf": "application/pdf"}


def render(statement: Statement, form: Format) -> bytes:
    """The statement as a workbook or as a PDF."""
    return render_workbook(statement) if form == "xlsx" else render_pdf(statement)


def render_pdf(statement: Statement) -> bytes:
    """PDF/A-3b; where a script or the logo can't be that, the same as PDF 1.7 or without logo."""
    tries: tuple[tuple[bool, Standard], ...] = ((True, "a-3b"), (False, "a-3b"), (True, "1.7"))
    for with_logo, standard in tries:
        data = page_data(statement, with_logo=with_logo)
        try:
            return pdf("statement.typ", data, statement.until, standard)
        except NotSet:
            continue
    return pdf("statement.typ", page_data(statement, with_logo=False), statement.until, "1.7")


def render_workbook(statement: Statement) -> bytes:
    """Two sheets: the transactions, and what they are of."""
    labels, words = LABELS[statement.language], WORDS[statement.language]
    book = Book(
        title=f"{words['title']} {period(statement)}",
        author=statement.seller.legal_name,
        currency=statement.currency,
        language=statement.language,
        made_on=statement.until,
    )
    columns = (
        Column(header=labels["account"], width=16),
        Column(header=labels["date"], kind="date", width=12),
        Column(header=labels["time"], kind="time", width=8),
        Column(header=labels["description"], width=44),
        Column(header=labels["quantity"], kind="quantity", width=10),
        Column(header=labels["unit_price"], kind="money", width=13),
        Column(header=labels["vat_rate"], kind="rate", width=8),
        Column(header=labels["gross"], kind="money", width=16, summed=True),
        Column(header=labels["terminal"], width=14),
    )
    book.table(words["sheet"], columns, _cells(statement), total=labels["total"])
    book.facts(
        words["about"],
        [
            (words["at"], statement.seller.shown_name),
            (labels["account"], account_text(statement)),
            *([(labels["bill_to"], statement.holder)] if statement.holder else []),
            (words["from"], statement.first),
            (words["until"], statement.last),
            (labels["total"], statement.total),
            ("", words["no_invoice"]),
        ],
    )
    return book.bytes()


def _cells(statement: Statement) -> Iterator[tuple[Cell, ...]]:
    for row in statement.rows:
        quantity, price = row.shown
        yield (
            row.account,
            row.at.date(),
            row.at.time().replace(microsecond=0, tzinfo=None),
            described(row, statement),
            quantity,
            price,
            Decimal(row.vat_rate),
            row.amount,
            row.terminal,
        )
