"""Statements as files: plain functions of plain values; the same statement, the same bytes."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

import typst

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.logo import accent_colour
from services.invoicer.documents.mail import XLSX
from services.invoicer.documents.text import (
    breakable,
    clean,
    day,
    money,
    quantity_text,
    rate_label,
)
from services.invoicer.documents.workbook import Book, Cell, Column
from services.invoicer.statements.model import Cover, Row, Statement
from services.invoicer.statements.words import WORDS

MEDIA_TYPES: Mapping[Literal["xlsx", "pdf"], str] = {"xlsx": XLSX, "pdf": "application/pdf"}
_one_at_a_time = threading.Lock()


def render(statement: Statement, form: Literal["xlsx", "pdf"]) -> bytes:
    """The statement as a workbook or as a PDF."""
    return _workbook(statement) if form == "xlsx" else _pdf(statement)


def period(statement: Cover) -> str:
    """ "1 juli 2026 t/m 31 juli 2026"."""
    return WORDS[statement.language]["period"].format(
        first=day(statement.first, statement.language), last=day(statement.last, statement.language)
    )


def _described(row: Row, statement: Statement) -> str:
    if not row.back:
        return row.description
    return WORDS[statement.language]["back"].format(description=row.description)


def _workbook(statement: Statement) -> bytes:
    words, language = LABELS[statement.language], statement.language
    book = Book(
        title=WORDS[language]["title"],
        author=statement.seller.legal_name,
        currency=statement.currency,
        language=language,
        made_on=statement.until,
    )
    columns = (
        Column(header=words["account"], width=16),
        Column(header=words["date"], kind="date", width=12),
        Column(header=words["time"], kind="time", width=8),
        Column(header=words["description"], width=44),
        Column(header=words["quantity"], kind="quantity", width=10),
        Column(header=words["unit_price"], kind="money", width=13),
        Column(header=words["vat_rate"], kind="rate", width=8),
        Column(header=words["gross"], kind="money", width=15, summed=True),
        Column(header=words["terminal"], width=14),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            row.account,
            row.at.date(),
            row.at.time().replace(microsecond=0, tzinfo=None),
            _described(row, statement),
            None if row.quantity is None else Decimal(row.quantity),
            row.unit_price,
            Decimal(row.vat_rate),
            row.amount,
            row.terminal,
        )
        for row in statement.rows
    ]
    book.table(period(statement), columns, rows, total=words["total"])
    return book.bytes()


def _pdf(statement: Statement) -> bytes:
    data = json.dumps(_page(statement))
    with _one_at_a_time:
        for standard in ("a-3b", "1.7"):  # a script that no font has can't be PDF/A
            try:
                made = _compiler().compile(
                    Path(_template()),
                    format="pdf",
                    sys_inputs={"data": data},
                    pdf_standards=cast("Any", standard),
                    timestamp=datetime.combine(statement.until, time(), UTC),
                )
            except typst.TypstError:
                if standard == "1.7":
                    raise
            else:
                break
    return cast("bytes", made)


def _page(statement: Statement) -> dict[str, Any]:
    """What the template sets: all of it text that is formatted already."""
    words, language = LABELS[statement.language], statement.language

    def amount(value: int) -> str:
        return money(value, statement.currency, language)

    of = statement.account or WORDS[language]["all"]
    return {
        "language": language,
        "colour": accent_colour(statement.seller.colour),
        "venue": clean(statement.seller.shown_name),
        "title": WORDS[language]["title"],
        "facts": [
            [words["period"], period(statement)],
            [words["account"], clean(f"{of} {statement.description}".strip())],
            *([["", clean(statement.holder)]] if statement.holder else []),
        ],
        "many": statement.account is None,
        "head": [
            words[name]
            for name in ("account", "date", "time", "description", "quantity", "vat", "amount")
        ],
        "rows": [
            [
                breakable(clean(row.account)),
                day(row.at.date(), language),
                f"{row.at:%H:%M}",
                breakable(clean(_described(row, statement))),
                "" if row.quantity is None else quantity_text(Decimal(row.quantity), language),
                rate_label(row.vat_rate, language),
                amount(row.amount),
            ]
            for row in statement.rows
        ],
        "nothing": "" if statement.rows else WORDS[language]["nothing"],
        "total": [words["total"], amount(statement.total)],
        "page": words["page"],
        "fonts": list(_families()),
    }


def _template() -> str:
    return str(files(__package__) / "statement.typ")


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(_template(), root=Path(_template()).parent, font_paths=_fonts())


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[str(files("manimgx_fonts"))])


@cache
def _families() -> tuple[str, ...]:
    noto = sorted(name for name in _fonts().families() if name.startswith("Noto"))
    return ("Noto Sans", *(name for name in noto if name != "Noto Sans"), "DejaVu Sans Mono")
