"""The table of lines on a page: in groups with a heading and a total, with its columns' widths.

The widths, and which rows surely take one line, are reckoned here, a little too wide: typst would
find them by setting every cell twice, which takes most of the time of a long invoice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any

from schemas.currencies import decimals
from services.invoicer.documents.fitting import (
    DIGIT_MM,
    INSET_MM,
    PERCENT_MM,
    SMALL_LETTER_MM,
    width_mm,
)
from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.model import Document, Language, Line
from services.invoicer.documents.summing import on_paper
from services.invoicer.documents.text import (
    clean,
    grouped,
    money,
    net_price,
    quantity_text,
    rate_label,
    weekday,
)

_TIME_MM, _TABLE_MM = 12.0, 170.0
_REMEMBERED = 4_096  # names and prices: a menu has few of them
_LINE_HEADS = ("time", "description", "quantity", "unit_price", "unit_price_net", "vat", "amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row: time, description, then what is set to the right; `part` stands below it, small."""

    cells: tuple[str, ...]
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows under a heading that comes again on each page they run over. Level 2, or 3 below it;
    one that `begins` has a table of its own."""

    title: str
    total: str
    rows: Sequence[Shown]
    level: int = 2
    begins: bool = False


def lines_data(document: Document) -> dict[str, Any]:
    """The lines by day, within a day as they were sold: see `table_data`. Of very many what paper
    holds of them (summing.py)."""
    words = LABELS[document.language]
    paper = on_paper(document)
    row = {"each": _line, "articles": _article, "rates": _rate}[paper.how]
    groups = []
    for date, of_day in groupby(paper.lines, key=lambda line: line.sold_at.date()):
        its = list(of_day)
        total = sum(line.total for line in its)
        groups.append(
            Group(
                title=weekday(date, document.language),
                total=money(total, document.currency, document.language),
                rows=[row(document, line) for line in its],
            )
        )
    return table_data(groups, [words[head] for head in _LINE_HEADS], greys=(0, 4, 5))


def table_data(
    groups: Sequence[Group], heads: Sequence[str], *, greys: Sequence[int]
) -> dict[str, Any]:
    """What `lines` of templates/letter.typ takes. `widths`: of the columns in mm, None for the
    one that takes what is left. The column before the last is the rate, the last the amount."""
    last = len(heads) - 1
    widths: list[float | None] = [_TIME_MM, None]
    for place, head in enumerate(heads[2:], start=2):
        longest = max((len(row.cells[place]) for each in groups for row in each.rows), default=0)
        if place == last:
            longest = max(longest, *(len(each.total) + 1 for each in groups), 0)  # in bold
        content = longest * DIGIT_MM + (PERCENT_MM if place == last - 1 else 0)
        widths.append(round(max(content, len(head) * SMALL_LETTER_MM) + INSET_MM, 2))
    room = _TABLE_MM - sum(width or 0 for width in widths) - INSET_MM
    rooms = [room if width is None else width - INSET_MM for width in widths]
    fit = all(len(head) * SMALL_LETTER_MM <= its for head, its in zip(heads, rooms, strict=True))
    return {
        "heads": list(heads),
        "heads_fit": fit,
        "widths": widths,
        "greys": list(greys),
        "groups": [
            {
                "title": each.title,
                "total": each.total,
                "level": each.level,
                "begins": each.begins or not n,
                "lines": [_fitted(row, room) for row in each.rows],
            }
            for n, each in enumerate(groups)
        ],
    }


def _fitted(row: Shown, room: float) -> dict[str, Any]:
    cells = list(row.cells)
    fits = not row.part and width_mm(cells[1]) <= room
    if not fits:
        cells[1] = _broken(cells[1], room)
    return {"cells": cells, "part": row.part, "fits": fits}


def _broken(text: str, room: float) -> str:
    """Words that are wider than the column may be broken anywhere; the others stay whole."""
    words = [word if width_mm(word) <= room else "\u200b".join(word) for word in text.split(" ")]
    return " ".join(words)


def _line(document: Document, line: Line) -> Shown:
    words, language, currency = LABELS[document.language], document.language, document.currency
    part = ""
    if line.part:
        part = words["part"].format(
            quantity=quantity_text(Decimal(line.quantity), language),
            price=money(line.unit_price, currency, language),
        )
    return Shown(
        part=part,
        cells=(
            line.sold_at.strftime("%H:%M"),
            clean(line.description),
            quantity_text(line.billed_quantity, language),
            money(line.billed_price, currency, language),
            _net(line.billed_price, line.vat_rate, currency, language),
            rate_label(line.vat_rate, language),
            money(line.total, currency, language),
        ),
    )


def _article(document: Document, line: Line) -> Shown:
    """Like lines of a day: they have no time together."""
    shown = _line(document, line)
    return Shown(part=shown.part, cells=("", *shown.cells[1:]))


def _rate(document: Document, line: Line) -> Shown:
    """What a day's lines of one rate come to."""
    words, language = LABELS[document.language], document.language
    count = "one_line" if line.quantity == "1" else "lines"
    return Shown(
        cells=(
            "",
            words[count].format(count=quantity_text(Decimal(line.quantity), language)),
            "",
            "",
            "",
            rate_label(line.vat_rate, language),
            money(line.total, document.currency, language),
        ),
    )


@lru_cache(_REMEMBERED)
def _net(price: int, rate: str, currency: str, language: Language) -> str:
    """A price without its VAT, with two decimals more than the currency has."""
    places = decimals(currency)
    return grouped(net_price(price, rate, 2).scaleb(-places), language, places + 2)
