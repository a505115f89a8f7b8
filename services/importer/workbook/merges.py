"""Merged cells: Excel keeps their value in the first and shows it for all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.importer.domain.cells import Cell, Odd, is_empty
from services.importer.workbook.bounds import Unfit
from services.importer.workbook.lines import MAX_COLUMNS
from services.importer.workbook.places import LAST_ROW, column_of

_RANGE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6}):([A-Z]{1,3})([1-9]\d{0,6})")
_COLUMNS: Final = re.compile(r"([A-Z]{1,3}):([A-Z]{1,3})")
_ROWS: Final = re.compile(r"([1-9]\d{0,6}):([1-9]\d{0,6})")
"""Whole columns and whole rows, as some programs write them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Merged cells over several rows; `column` is their first."""

    column: int
    first: int
    last: int


def range_of(attributes: Mapping[str, str]) -> Range | None:
    """A mergeCell element; None where it is within one row. Raises Unfit for what is no range."""
    reference = attributes.get("ref", "").replace("$", "")
    if reference and ":" not in reference:
        return None  # one cell, merged with nothing
    if found := _RANGE.fullmatch(reference):
        column, first, last = column_of(found[1]), int(found[2]), int(found[4])
    elif found := _COLUMNS.fullmatch(reference):
        column, first, last = column_of(found[1]), 1, LAST_ROW
    elif found := _ROWS.fullmatch(reference):
        column, first, last = 0, int(found[1]), int(found[2])
    else:
        raise Unfit("unreadable")
    if first >= last or last > LAST_ROW or column >= MAX_COLUMNS:
        return None
    return Range(column=column, first=first, last=last)


class Merges:
    """The ranges of a sheet, as its rows go by."""

    def __init__(self, ranges: Sequence[Range] = ()) -> None:
        self._coming = sorted(ranges, key=lambda r: r.first, reverse=True)
        self._now: list[tuple[Range, Cell]] = []
        self.filled = 0
        """Cells that were given the value of the cell that they are merged with."""

    def fill(self, row: int, cells: list[Cell]) -> None:
        """Note what begins in this row, and give the row what began above it.

        A text stands for every row that it is shown in. A number does not: a limit over three
        rows may be one for all of them, so there a person has to say it. A row without anything
        of its own is no row.
        """
        if self._now:
            self._now = [(r, value) for r, value in self._now if r.last >= row]
            if not all(is_empty(c) for c in cells):
                for merged, value in self._now:
                    self._give(cells, merged.column, value)
        while self._coming and self._coming[-1].first <= row:
            merged = self._coming.pop()
            value = cells[merged.column] if merged.column < len(cells) else None
            if merged.first == row and not is_empty(value):
                self._now.append((merged, value))

    def _give(self, cells: list[Cell], column: int, value: Cell) -> None:
        cells.extend([None] * (column + 1 - len(cells)))
        if is_empty(cells[column]):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            cells[column] = Odd(kind="merged", text=f"{value:.15g}") if number else value
            self.filled += 1
