"""The table of lines on a page: grouped by day, with its columns' widths.

The widths, and which rows surely take one line, are reckoned here, a little too wide: typst would
find them by setting every cell twice, which takes most of the time of a long invoice.
"""

from decimal import Decimal
from itertools import groupby
from typing import Any

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.model import Document, Line
from services.invoicer.documents.text import (
    clean,
    decimals,
    grouped,
    money,
    net_price,
    quantity_text,
    rate_label,
    weekday,
)

# mm in Noto Sans at the template's sizes, measured: no letter of its kind is wider.
_DIGIT_MM, _PERCENT_MM, _HEAD_LETTER_MM, _INSET_MM = 1.95, 2.8, 1.9, 3.3
_TIME_MM, _TABLE_MM = 12.0, 170.0
_NARROW, _USUAL, _CAPITAL, _WIDE = 1.4, 2.3, 2.65, 3.35
_NARROW_ONES, _WIDE_ONES = frozenset("iljtfr.,:;'! ()"), frozenset("mwMWQ@%&")
_LAST_LATIN = "\u017f"
_COLUMNS = ("quantity", "price", "net_price", "rate", "amount")
_HEADS = ("quantity", "unit_price", "unit_price_net", "vat", "amount")


def lines_data(document: Document) -> dict[str, Any]:
    """`days`: the lines by day, within a day as they were sold. `widths`: of the columns in mm,
    None for the one that takes what is left."""
    words = LABELS[document.language]
    lines = sorted(document.lines, key=lambda line: line.sold_at)
    days: list[dict[str, Any]] = []
    for date, group in groupby(lines, key=lambda line: line.sold_at.date()):
        of_day = list(group)
        total = sum(line.total for line in of_day)
        days.append(
            {
                "day": weekday(date, document.language),
                "total": money(total, document.currency, document.language),
                "lines": [_line(document, line) for line in of_day],
            }
        )
    widths = []
    for column, head in zip(_COLUMNS, _HEADS, strict=True):
        longest = max((len(line[column]) for each in days for line in each["lines"]), default=0)
        if column == "amount":
            longest = max(longest, *(len(each["total"]) + 1 for each in days), 0)  # in bold
        content = longest * _DIGIT_MM + (_PERCENT_MM if column == "rate" else 0)
        widths.append(max(content, len(words[head]) * _HEAD_LETTER_MM) + _INSET_MM)
    room = _TABLE_MM - _TIME_MM - sum(widths) - _INSET_MM
    for each in days:
        for line in each["lines"]:
            line["fits"] = not line["part"] and _width_mm(line["description"]) <= room
            line["description"] = _broken(line["description"], room)
    return {"days": days, "widths": [_TIME_MM, None, *(round(width, 2) for width in widths)]}


def _broken(text: str, room: float) -> str:
    """Words that are wider than the column may be broken anywhere; the others stay whole."""
    words = [word if _width_mm(word) <= room else "\u200b".join(word) for word in text.split(" ")]
    return " ".join(words)


def _width_mm(text: str) -> float:
    """At least as wide as `text` is set; of what may be wider or higher than Latin: endless."""
    if any(c > _LAST_LATIN for c in text):
        return float("inf")
    return sum(map(_letter_mm, text))


def _letter_mm(letter: str) -> float:
    if letter in _NARROW_ONES:
        return _NARROW
    if letter in _WIDE_ONES or not letter.isascii():
        return _WIDE
    return _CAPITAL if letter.isupper() else _USUAL


def _line(document: Document, line: Line) -> dict[str, Any]:
    words, language, places = (
        LABELS[document.language],
        document.language,
        decimals(document.currency),
    )
    net = net_price(line.billed_price, line.vat_rate, 2).scaleb(-places)
    part = words["part"].format(
        quantity=quantity_text(Decimal(line.quantity), language),
        price=money(line.unit_price, document.currency, language),
    )
    return {
        "time": line.sold_at.strftime("%H:%M"),
        "description": clean(line.description),
        "part": part if line.part else "",
        "quantity": quantity_text(line.billed_quantity, language),
        "price": money(line.billed_price, document.currency, language),
        "net_price": grouped(net, language, places + 2),
        "rate": rate_label(line.vat_rate, language),
        "amount": money(line.total, document.currency, language),
    }
