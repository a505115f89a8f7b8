"""Workbooks of tables: real dates and numbers, a frozen header with filters, totals, widths.

The same rows give the same bytes: the time of making is given. Text stays text, also where it
begins with = + - @, so no cell of ours is ever run as a formula.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import xlsxwriter

from services.invoicer.documents.model import Language
from services.invoicer.documents.text import clean, decimal_amount, decimals

Kind = Literal["text", "date", "time", "quantity", "rate", "money"]
Cell = str | int | date | time | Decimal | None
_LONGEST_CELL = 32_000  # Excel takes 32,767 characters
_LONGEST_SHEET_NAME = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`kind` says how cells of this column are written: money is integer minor units, rate a
    Decimal percentage, quantity a Decimal, date and time as they are. `summed`: has a total."""

    header: str
    kind: Kind = "text"
    width: float = 12
    summed: bool = False


class Book:
    """One workbook in memory; `bytes()` ends it."""

    def __init__(
        self, *, title: str, author: str, currency: str, language: Language, made_on: date
    ) -> None:
        self._out = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._out, {"in_memory": True})
        self._currency = currency
        self._formats = _Formats(self._book, currency, language)
        self._book.set_properties(
            {
                "title": clean(title),
                "author": clean(author),
                "created": datetime.combine(made_on, time()),
            }
        )

    def table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        *,
        total: str,
    ) -> None:
        """A sheet `name` with a header, the rows, and a row `total` where a column is summed.

        The sums follow the filter (SUBTOTAL), and carry their value for readers that don't reckon.
        """
        sheet = self._book.add_worksheet(_sheet_name(name))
        for place, column in enumerate(columns):
            right = column.kind in {"quantity", "rate", "money"}
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.header, self._formats.head(right=right))
        sums = [Decimal(0)] * len(columns)
        last = 0
        for last, row in enumerate(rows, start=1):
            for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
                value = self._write(sheet, last, place, column, cell)
                sums[place] += value if column.summed else 0
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
        if any(column.summed for column in columns):
            self._totals(sheet, columns, last, sums, total)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_footer("&L&A&R&P / &N")

    def facts(self, name: str, pairs: Iterable[tuple[str, str | int | date | None]]) -> None:
        """A sheet of names and values: a date as date, an int as money, the rest as text."""
        sheet = self._book.add_worksheet(_sheet_name(name))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 46)
        for row, (label, value) in enumerate(pairs):
            sheet.write_string(row, 0, label, self._formats.label)
            kind: Kind = "text"
            if isinstance(value, date):
                kind = "date"
            elif isinstance(value, int):
                kind = "money"
            self._write(sheet, row, 1, Column(header="", kind=kind), value, left=True)

    def bytes(self) -> bytes:
        self._book.close()
        return self._out.getvalue()

    def _write(
        self, sheet: Any, row: int, place: int, column: Column, cell: Cell, *, left: bool = False
    ) -> Decimal:
        """Writes one cell; gives its number for the sum."""
        if cell is None or cell == "":
            return Decimal(0)
        style = self._formats.of(column.kind, cell, left=left)
        if column.kind == "text" or isinstance(cell, str):
            sheet.write_string(row, place, clean(str(cell))[:_LONGEST_CELL], style)
            return Decimal(0)
        if isinstance(cell, (date, time)):
            sheet.write_datetime(row, place, cell, style)
            return Decimal(0)
        value = decimal_amount(cell, self._currency) if isinstance(cell, int) else cell
        shown = value / 100 if column.kind == "rate" else value
        sheet.write_number(row, place, float(shown), style)
        return value

    def _totals(
        self, sheet: Any, columns: Sequence[Column], last: int, sums: Sequence[Decimal], total: str
    ) -> None:
        row = last + 1
        for place, column in enumerate(columns):
            style = self._formats.total(column.kind)
            if column.summed:
                letter = xlsxwriter.utility.xl_col_to_name(place)
                formula = f"=SUBTOTAL(109,{letter}2:{letter}{max(last, 1) + 1})"
                sheet.write_formula(row, place, formula, style, float(sums[place]))
            else:
                sheet.write_string(row, place, total if place == 0 else "", style)


class _Formats:
    """The cell formats of one workbook, each made once."""

    def __init__(self, book: Any, currency: str, language: Language) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._of_cells: dict[tuple[str, bool, bool], Any] = {}
        places = decimals(currency)
        number = "#,##0" + ("." + "0" * places if places else "")
        sign = {"EUR": "€", "GBP": "£", "USD": "$"}.get(currency, currency)
        self._codes: dict[Kind, str] = {
            "text": "@",
            "date": "dd-mm-yyyy" if language == "nl" else "dd/mm/yyyy",
            "time": "hh:mm",
            "quantity": "#,##0.###",
            "rate": "0%",
            "money": f'"{sign}" {number};[Red]"{sign}" -{number}',
        }
        self.label = self._get(bold=True, valign="top")

    def _get(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    def head(self, *, right: bool) -> Any:
        align = "right" if right else "left"
        return self._get(bold=True, bg_color="#E7ECEE", bottom=1, align=align, text_wrap=True)

    def of(self, kind: Kind, cell: Cell, *, left: bool = False) -> Any:
        code = self._codes[kind]
        if isinstance(cell, Decimal) and cell == cell.to_integral_value():
            code = {"quantity": "#,##0", "rate": "0%"}.get(kind, code)
        elif kind == "rate":
            code = "0.0#%"
        made = self._of_cells.get((code, left, kind == "text"))
        if made is None:
            wrap = left or kind == "text"
            place = {"align": "left"} if left else {"valign": "top"}
            made = self._get(num_format=code, text_wrap=wrap, **place)
            self._of_cells[code, left, kind == "text"] = made
        return made

    def total(self, kind: Kind) -> Any:
        return self._get(bold=True, top=1, num_format=self._codes[kind])


def _sheet_name(name: str) -> str:
    """As Excel allows it: at most 31 characters, none of []:*?/\\ ."""
    return clean(name).translate({ord(c): "-" for c in "[]:*?/\\"})[:_LONGEST_SHEET_NAME]
