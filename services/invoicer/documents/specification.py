"""The XLSX specification of a document: each line with its date, price and VAT, as real values."""

from datetime import date
from decimal import Decimal

from services.invoicer.documents.labels import LABELS, credit_reason, euro_note, euro_vat
from services.invoicer.documents.model import CreditNote, Document, Invoice
from services.invoicer.documents.text import month
from services.invoicer.documents.workbook import Book, Cell, Column
from services.invoicer.vat import line_bases


def render_specification(document: Document) -> bytes:
    """An .xlsx of three sheets: the lines, the VAT per rate, and what the document is.

    Columns are in the document's language. A line's VAT is its share of the rate's VAT, so the
    columns sum to the document's totals. The same document gives the same bytes.
    """
    words = LABELS[document.language]
    kind = words["invoice" if isinstance(document, Invoice) else "credit_note"]
    book = Book(
        title=f"{kind} {document.number or words['draft']}",
        author=document.seller.legal_name,
        currency=document.currency,
        language=document.language,
        made_on=document.issued_on,
    )
    _lines(book, document)
    _vat(book, document)
    _facts(book, document, kind)
    return book.bytes()


def _lines(book: Book, document: Document) -> None:
    words = LABELS[document.language]
    columns = (
        Column(header=words["date"], kind="date", width=12),
        Column(header=words["time"], kind="time", width=8),
        Column(header=words["description"], width=44),
        Column(header=words["quantity"], kind="quantity", width=10),
        Column(header=words["unit_price"], kind="money", width=13),
        Column(header=words["vat_rate"], kind="rate", width=8),
        Column(header=words["base"], kind="money", width=15, summed=True),
        Column(header=words["vat"], kind="money", width=13, summed=True),
        Column(header=words["gross"], kind="money", width=15, summed=True),
        Column(header=words["terminal"], width=14),
        Column(header=words["sale"], width=38),
    )
    bases = line_bases([(line.vat_rate, line.total) for line in document.lines], document.vat)
    pairs = sorted(zip(document.lines, bases, strict=True), key=lambda pair: pair[0].sold_at)
    rows: list[tuple[Cell, ...]] = [
        (
            line.sold_at.date(),
            line.sold_at.time().replace(microsecond=0, tzinfo=None),
            line.description,
            line.billed_quantity,
            line.billed_price,
            Decimal(line.vat_rate),
            base,
            line.total - base,
            line.total,
            line.terminal,
            line.sale_id,
        )
        for line, base in pairs
    ]
    book.table(words["specification"], columns, rows, total=words["total"])


def _vat(book: Book, document: Document) -> None:
    words = LABELS[document.language]
    columns = (
        Column(header=words["vat_rate"], kind="rate", width=12),
        Column(header=words["base"], kind="money", width=18, summed=True),
        Column(header=words["vat"], kind="money", width=18, summed=True),
        Column(header=words["gross"], kind="money", width=18, summed=True),
    )
    rows = [(Decimal(row.rate), row.base, row.vat, row.gross) for row in document.vat]
    book.table(words["vat"], columns, rows, total=words["total"])


def _facts(book: Book, document: Document, kind: str) -> None:
    words, seller, buyer = LABELS[document.language], document.seller, document.buyer
    own: list[tuple[str, str | date]]
    draft = document.number is None
    if isinstance(document, Invoice):
        own = [] if draft else [(words["due_on"], document.due_on)]
        if document.replaces:
            own.append((words["replaces"], ", ".join(one.number for one in document.replaces)))
    else:
        own = [(words["refers_to"], document.refers_to)]
        if document.reason:
            own.append((words["reason"], credit_reason(document, document.language)))
    credit = isinstance(document, CreditNote)
    dated = "drafted_on" if draft else "credit_issued_on" if credit else "issued_on"
    book.facts(
        kind,
        [
            (words["number"], document.number or words["draft_note"]),
            (words[dated], document.issued_on),
            *own,
            (words["period"], month(document.period, document.language)),
            (words["account"], f"{document.account} {document.account_description}".strip()),
            (words["bill_to"], buyer.shown_name),
            (words["subtotal"], document.net),
            (words["vat_total"], document.vat_total),
            *euro_vat(document),
            *([("", note)] if (note := euro_note(document)) else []),
            (words["to_get_back" if credit else "to_pay"], document.total),
            ("", None),
            (words["from"], seller.legal_name),
            (words["vat_number"], seller.vat_number),
            (words["chamber_number"], seller.chamber_number),
            (words["iban"], seller.iban),
        ],
    )
