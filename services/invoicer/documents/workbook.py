"""Workbooks of tables: real dates and numbers, a frozen header with filters, totals, widths.

The same rows give the same bytes: the time of making is given. Text stays text, also where it
begins with = + - @, so no cell of ours is ever run as a formula.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from math import ceil
from typing import Literal
from unicodedata import east_asian_width

from schemas.currencies import SIGNS, decimals
from services.invoicer.documents.model import Language
from services.invoicer.documents.sheets import Parts, Sheet, Style, column_letters, package, serial
from services.invoicer.documents.text import clean, decimal_amount

Kind = Literal["text", "date", "time", "quantity", "rate", "money"]
Cell = str | int | date | time | Decimal | None
_LONGEST_CELL = 32_000  # Excel takes 32,767 characters
_LONGEST_SHEET_NAME = 31
_REMEMBERED = 4_096  # days, times and amounts: a month has few of them


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
        self._sheets: list[Sheet] = []
        self._parts = Parts()
        self._currency = currency
        self._looks = _Looks(self._parts, currency, language)
        self._title, self._author, self._made_on = clean(title), clean(author), made_on

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
        sheet = Sheet(_sheet_name(name), [column.width for column in columns])
        self._sheets.append(sheet)
        heads = []
        for place, column in enumerate(columns):
            right = column.kind in {"quantity", "rate", "money"}
            heads.append(self._text(1, place, column.header, self._looks.head(right=right)))
        sheet.rows.append(_row(1, heads))
        sums, amounts = [Decimal(0)] * len(columns), dict[int, int]()
        kinds = [column.kind for column in columns]
        summed = [place for place, column in enumerate(columns) if column.summed]
        texts = [(place, one.width) for place, one in enumerate(columns) if one.kind == "text"]
        last = 1
        rests = [_Rests(self, kind) for kind in kinds]
        letters = [_letters(place) for place in range(len(columns))]
        for last, row in enumerate(rows, start=2):
            cells = [
                f'<c r="{letter}{last}" {rest}' if (rest := known[cell]) else ""
                for letter, known, cell in zip(letters, rests, row, strict=True)
            ]
            tall = 1
            for place, width in texts:
                if isinstance(text := row[place], str) and len(text) * 2 > width:
                    tall = max(tall, _lines(text, width))
            sheet.rows.append(_row(last, cells, tall))
            for place in summed:
                if isinstance(cell := row[place], int):
                    amounts[place] = amounts.get(place, 0) + cell
                elif isinstance(cell, Decimal):
                    sums[place] += cell
        for place, amount in amounts.items():
            sums[place] += decimal_amount(amount, self._currency)
        bottom = max(last, 2)
        sheet.filtered = f"A1:{column_letters(len(columns) - 1)}{bottom}"
        if any(column.summed for column in columns):
            sheet.rows.append(self._totals(columns, bottom, sums, total))

    def facts(self, name: str, pairs: Iterable[tuple[str, str | int | date | None]]) -> None:
        """A sheet of names and values: a date as date, an int as money, the rest as text."""
        sheet = Sheet(_sheet_name(name), _FACTS)
        self._sheets.append(sheet)
        for row, (label, value) in enumerate(pairs, start=1):
            kind: Kind = "text"
            if isinstance(value, date):
                kind = "date"
            elif isinstance(value, int):
                kind = "money"
            named = self._text(row, 0, label, self._looks.label)
            cells = [named, self._cell(row, 1, kind, value, left=True)]
            sheet.rows.append(_row(row, cells, _lines(str(value or ""), _FACTS[1])))

    def bytes(self) -> bytes:
        made_at = datetime.combine(self._made_on, time())
        return package(
            self._sheets, self._parts, title=self._title, author=self._author, made_at=made_at
        )

    def _cell(self, row: int, place: int, kind: Kind, cell: Cell, *, left: bool = False) -> str:
        """A `<c>` element, or nothing for what is empty."""
        rest = self.rest(kind, cell, left=left)
        return f'<c r="{_letters(place)}{row}" {rest}' if rest else ""

    def rest(self, kind: Kind, cell: Cell, *, left: bool = False) -> str:
        """What follows a cell's place, which is the same wherever the same stands in a column."""
        if cell is None or cell == "":
            return ""
        style = self._looks.of(kind, cell, left=left)
        if kind == "text" or isinstance(cell, str):
            return self._string(clean(str(cell))[:_LONGEST_CELL], style)
        if isinstance(cell, int):
            number = _amount(cell, self._currency)
        elif isinstance(cell, Decimal):
            number = f"{cell / 100 if kind == 'rate' else cell:f}"
        else:
            number = _serial(cell)
        return f's="{style}"><v>{number}</v></c>'

    def _text(self, row: int, place: int, text: str, style: int) -> str:
        return f'<c r="{_letters(place)}{row}" {self._string(text, style)}'

    def _string(self, text: str, style: int) -> str:
        return f's="{style}" t="s"><v>{self._parts.string(text)}</v></c>'

    def _totals(
        self, columns: Sequence[Column], last: int, sums: Sequence[Decimal], total: str
    ) -> str:
        row, cells = last + 1, []
        for place, column in enumerate(columns):
            style = self._looks.total(column.kind)
            if column.summed:
                letter = _letters(place)
                formula = f"SUBTOTAL(109,{letter}2:{letter}{last})"
                value = f"<f>{formula}</f><v>{sums[place]:f}</v>"
                cells.append(f'<c r="{letter}{row}" s="{style}">{value}</c>')
            else:
                cells.append(self._text(row, place, total if place == 0 else "", style))
        return _row(row, cells)


class _Rests(dict[Cell, str]):
    """What cells of one column are but for their place; a month says few things often."""

    def __init__(self, book: Book, kind: Kind) -> None:
        super().__init__()
        self._book, self._kind = book, kind

    def __missing__(self, cell: Cell) -> str:
        rest = self._book.rest(self._kind, cell)
        if not isinstance(cell, Decimal):  # 1 and 1.0 are equal, and written as they are
            self[cell] = rest
        return rest


class _Looks:
    """The cell styles of one workbook, by their numbers."""

    def __init__(self, parts: Parts, currency: str, language: Language) -> None:
        self._parts = parts
        self._of_cells: dict[tuple[str, bool, bool], int] = {}
        places = decimals(currency)
        number = "#,##0" + ("." + "0" * places if places else "")
        sign = SIGNS.get(currency, currency)
        self._codes: dict[Kind, str] = {
            "text": "@",
            "date": "dd-mm-yyyy" if language == "nl" else "dd/mm/yyyy",
            "time": "hh:mm",
            "quantity": "#,##0.###",
            "rate": "0%",
            "money": f'"{sign}" {number};[Red]"{sign}" -{number}',
        }
        self.label = parts.style(Style(bold=True, vertical="top"))

    def head(self, *, right: bool) -> int:
        side = "right" if right else "left"
        return self._parts.style(
            Style(bold=True, fill="E7ECEE", edge="bottom", horizontal=side, wrap=True)
        )

    def of(self, kind: Kind, cell: Cell, *, left: bool = False) -> int:
        code = self._codes[kind]
        if kind in _WHOLE:
            if isinstance(cell, Decimal) and cell == cell.to_integral_value():
                code = _WHOLE[kind]
            elif kind == "rate":
                code = "0.0#%"
        found = self._of_cells.get((code, left, kind == "text"))
        if found is None:
            side, top = ("left", "") if left else ("", "top")
            wrap = left or kind == "text"
            found = self._parts.style(Style(code=code, horizontal=side, vertical=top, wrap=wrap))
            self._of_cells[code, left, kind == "text"] = found
        return found

    def total(self, kind: Kind) -> int:
        return self._parts.style(Style(code=self._codes[kind], bold=True, edge="top"))


_FACTS = (30, 46)
_LINE_POINTS, _TALLEST = 15, 27  # Excel's rows are of 409 points at most
_FILLED = 0.85  # of a line, as words are not cut
_letters = cache(column_letters)
_serial = lru_cache(_REMEMBERED)(serial)
_WHOLE: dict[Kind, str] = {"quantity": "#,##0", "rate": "0%"}
"""How these look where they have no decimals."""


@lru_cache(_REMEMBERED)
def _amount(amount: int, currency: str) -> str:
    return f"{decimal_amount(amount, currency):f}"


def _row(number: int, cells: Iterable[str], lines: int = 1) -> str:
    tall = f' ht="{_LINE_POINTS * lines}"' if lines > 1 else ""
    return f'<row r="{number}"{tall}>{"".join(cells)}</row>'


def _lines(text: str, width: float) -> int:
    """Of how many lines a text is in a column so wide, a little too many: Excel reckons that by
    itself, LibreOffice lays one row over the next."""
    places = len(text)
    if not text.isascii():
        places += sum(east_asian_width(each) in "WF" for each in text)  # twice as wide
    return 1 if places <= width else min(ceil(places / (_FILLED * width)), _TALLEST)


def _sheet_name(name: str) -> str:
    """As Excel allows it: at most 31 characters, none of []:*?/\\ ."""
    return clean(name).translate({ord(c): "-" for c in "[]:*?/\\"})[:_LONGEST_SHEET_NAME]
