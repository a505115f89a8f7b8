"""Rows that sum up those above them, and are about nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.importer.domain.cells import Cell, is_empty, shown
from services.importer.domain.columns import Column
from services.importer.domain.fields import Field, normalise
from services.importer.domain.placeholders import is_blank

_SUMS: Final = frozenset(
    {"totalen", "totaalbedrag", "totaalgeneraal", "totaallimiet", "totaallimieten", "totaalleden"}
    | {"totaalaantal", "subtotaal", "eindtotaal", "generaaltotaal"}
    | {"totals", "totalamount", "subtotal", "grandtotal", "overalltotal"}
)
"""What stands beside a sum."""
_TOTALS: Final = frozenset(
    {"totaal", "total", "som", "sum", "aantalleden", "gemiddeld", "gemiddelde", "average"}
)
"""The same, but there are companies that are called so, and have accounts; or it is a remark."""
_OF_A_GROUP: Final = re.compile(r"(?:totaal|subtotaal) .+|.+ (?:totaal|total)", re.IGNORECASE)
"""As Excel writes it below each group: "Totaal Houten", "Houten Total"."""
_COUNTED: Final = re.compile(r": *[\d.,]+$")
_LONGEST: Final = 40
_SAY_WHO: Final[frozenset[Field]] = frozenset(
    {"company", "name", "first_name", "initials", "last_name"}
)
_OF_DIGITS: Final[frozenset[Field]] = frozenset(
    {"postcode", "postcode_and_city", "chamber_number", "vat_number"}
)
_SUMMED: Final[frozenset[Field]] = frozenset({"limit", "account", "account_count"})


def total_of(cells: Sequence[Cell], columns: Sequence[Column]) -> str:
    """The word that says that a row is a sum of others; empty where it is none.

    `columns` are those that are known; the row has no e-mail address, and no account of which it
    is plain that it is one. Where beside the word something else is said than sums, the row is
    about somebody who is called so, or has the word among remarks.
    """
    for index, cell in enumerate(cells):
        if not isinstance(cell, str) or len(cell) > _LONGEST:
            continue
        text = shown(cell)
        word = normalise(_COUNTED.sub("", text) if ":" in text else text)
        if word in _SUMS:
            return text
        if word in _TOTALS or ("tota" in word and _OF_A_GROUP.fullmatch(text)):
            said = [one for one in columns if _is_said(one, cells)]
            nobody = not any(column.field in _SAY_WHO for column in said)
            may_be = nobody or (
                word in _TOTALS and not any(column.field == "account" for column in said)
            )
            more = word in _TOTALS and any(_says_more(one, cells, beside=index) for one in said)
            if may_be and not more:
                return text
    return ""


def _is_said(column: Column, cells: Sequence[Cell]) -> bool:
    cell = cells[column.index] if column.index < len(cells) else None
    return column.field is not None and not (is_empty(cell) or is_blank(cell, column.field))


def _says_more(column: Column, cells: Sequence[Cell], *, beside: int) -> bool:
    if column.field in _SUMMED or column.index == beside:
        return False
    cell = cells[column.index]
    if not isinstance(cell, str) or normalise(cell) in _TOTALS:
        return False
    counts = column.field not in _OF_DIGITS and cell.lstrip()[:1].isdigit()  # "125 leden"
    return not counts
