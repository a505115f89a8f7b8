"""Rows of a workbook's sheets, cell by cell as domain.cells has them. Runs in the child only."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

from openpyxl import load_workbook

from services.importer.domain.cells import Cell, Odd, is_empty
from services.importer.workbook.bounds import Unfit
from services.importer.workbook.lines import MAX_CELL, MAX_COLUMNS

OUTLINE_ROWS: Final = 60
"""Rows of each sheet that are looked at for its header."""

OUTLINE_SHEETS: Final = 50
LAST_ROW: Final = 1_048_576
_PADDED: Final = re.compile(r"0{2,15}")

Row = tuple[int, list[Cell]]


class Sheets:
    """An opened workbook, read-only and streaming: formulas by their stored value."""

    def __init__(self, path: str) -> None:
        self._book: Any = load_workbook(path, read_only=True, data_only=True, keep_links=False)

    def outlines(self) -> list[dict[str, Any]]:
        """The first rows with content of every sheet: name, hidden, rows."""
        found = []
        for sheet in self._book.worksheets[:OUTLINE_SHEETS]:
            rows: list[Row] = []
            for number, cells in self._rows(sheet):
                rows.append((number, cells))
                if len(rows) >= OUTLINE_ROWS:
                    break
            found.append(
                {"name": sheet.title, "hidden": sheet.sheet_state != "visible", "rows": rows}
            )
        return found

    def rows(self, name: str, *, after: int) -> Iterator[Row]:
        """The rows with content below row `after` of one sheet."""
        for number, cells in self._rows(self._book[name]):
            if number > after:
                yield number, cells

    def _rows(self, sheet: Any) -> Iterator[Row]:
        # The dimension that a file claims is often wrong: cells beyond it would not be read.
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if number > LAST_ROW:
                raise Unfit("unreadable")
            cells = [_cell(c) for c in row[:MAX_COLUMNS]]
            while cells and is_empty(cells[-1]):
                cells.pop()
            if cells:
                yield number, cells


def _cell(cell: Any) -> Cell:
    value = cell.value
    match value:
        case None | bool():
            return value
        case str():
            if cell.data_type == "e":
                return Odd(kind="error", text=value[:MAX_CELL])
            if len(value) > MAX_CELL:
                return Odd(kind="long", text=value[:MAX_CELL])
            return value
        case int() | float():
            return _number(value, cell.number_format)
        case dt.datetime() | dt.date() | dt.time() | dt.timedelta():
            return Odd(kind="date", text=str(value).removesuffix(" 00:00:00"))
    return Odd(kind="error", text=str(value)[:MAX_CELL])


def _number(value: int | float, shown_as: str | None) -> Cell:
    if value != value or value in (float("inf"), float("-inf")):
        return Odd(kind="error", text=str(value))
    if isinstance(value, int) and value.bit_length() > 64:
        return Odd(kind="number", text=str(value)[:MAX_CELL])
    # A number that its format shows with leading zeros is meant with them: 00001234.
    if shown_as and _PADDED.fullmatch(shown_as) and value >= 0 and value == int(value):
        text = str(int(value)).zfill(len(shown_as))
        return Odd(kind="padded", text=text) if text.startswith("0") else int(value)
    return value
