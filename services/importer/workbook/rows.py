"""The rows of one worksheet, out of its XML as it streams by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from services.importer.domain.cells import Cell, is_empty
from services.importer.workbook.bounds import Unfit
from services.importer.workbook.lines import MAX_CELL, MAX_COLUMNS
from services.importer.workbook.markup import Depth, Markup, elements, names
from services.importer.workbook.merges import Merges, Range, range_of
from services.importer.workbook.package import is_on
from services.importer.workbook.places import cell_column, row_of
from services.importer.workbook.strings import KEPT
from services.importer.workbook.values import Values

MOST_MERGED: Final = 50_000

Row = tuple[int, list[Cell]]

_KNOWN: Final = names("c", "v", "t", "is", "f", "row", "sheetData", "rPh", "col", "worksheet")
# Where the reader stands. In a phonetic run, or in what it does not know, it takes no text.
_OUTSIDE, _DATA, _ROW, _CELL, _VALUE, _INLINE, _TEXT, _FORMULA, _ELSEWHERE = range(9)


class SheetRows:
    """Rows with content of one sheet; what was noticed of it stands in the counts.

    `hidden_rows`, of those below row `after`; `hidden_columns`, by index; `beyond`: whether
    there is content right of the columns that are read.
    """

    __slots__ = (
        "_after", "_at", "_before", "_cell", "_cells", "_column", "_depth", "_digits", "_formula",
        "_found", "_hidden", "_inline", "_row", "_runs", "_text", "_value", "_values", "beyond",
        "hidden_columns", "hidden_rows", "merges", "seen",
    )  # fmt: skip

    def __init__(self, values: Values, merges: Merges | None = None, *, after: int = 0) -> None:
        self._values = values
        self._after = after
        self.merges = merges or Merges()
        self.hidden_columns: set[int] = set()
        self.hidden_rows = 0
        self.beyond = False
        self.seen = 0
        """Row elements that went by, with content or without."""
        self._found: list[Row] = []
        self._at = self._before = _OUTSIDE
        self._depth = Depth()
        self._cells: list[Cell] = []
        self._cell: dict[str, str] = {}
        self._value: str | None = None
        self._inline: str | None = None
        self._formula: str | None = None
        self._hidden = False
        self._text: list[str] = []
        self._runs = ""
        self._row = 0
        self._digits = ""
        self._column = -1

    def read(self, pieces: Iterable[bytes]) -> Iterator[Row]:
        """Raises Unfit for XML that is broken, or no sheet of Excel's."""
        markup = Markup(self._start, self._end, self._text.append)
        for piece in pieces:
            markup.feed(piece)
            self._bound_text()
            yield from self._found
            self._found.clear()
        markup.close()
        yield from self._found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = _KNOWN.get(name)
        at = self._at
        if kind == "c" and at == _ROW:
            self._at = _CELL
            self._cell = attributes
            self._value = self._inline = self._formula = None
        elif kind == "v" and at == _CELL and self._value is None:
            self._at = _VALUE
            self._text.clear()
        elif kind == "row" and at == _DATA:
            self._at = _ROW
            self._row = row_of(attributes.get("r"), self._row)
            self._digits = str(self._row)
            self._hidden = is_on(attributes.get("hidden"))
            self._column = -1
            self._cells = []
            self.seen += 1
        elif kind == "is" and at == _CELL and self._inline is None:
            self._at = _INLINE
            self._runs = ""
        elif kind == "t" and at == _INLINE:
            self._at = _TEXT
            self._text.clear()
        elif kind == "f" and at == _CELL and self._formula is None:
            self._at = _FORMULA
            self._text.clear()
        else:
            self._start_other(kind, attributes)

    def _start_other(self, kind: str | None, attributes: dict[str, str]) -> None:
        if kind == "sheetData" and self._at == _OUTSIDE:
            self._at = _DATA
            return
        if kind in ("c", "v", "f", "row", "sheetData", "is"):
            raise Unfit("unreadable")  # where it has no business
        if kind == "col" and self._at == _OUTSIDE and is_on(attributes.get("hidden")):
            self._hide(attributes)
        elif self._depth.depth == 0 and kind != "worksheet":
            raise Unfit("unreadable")
        self._depth.enter()
        if kind == "rPh":
            if self._at == _ELSEWHERE:
                raise Unfit("unreadable")
            self._before = self._at
            self._at = _ELSEWHERE

    def _end(self, name: str) -> None:
        kind = _KNOWN.get(name)
        at = self._at
        if kind == "c" and at == _CELL:
            self._at = _ROW
            self._end_cell()
        elif kind == "v" and at == _VALUE:
            self._at = _CELL
            self._value = "".join(self._text)
        elif kind == "row" and at == _ROW:
            self._at = _DATA
            self._end_row()
        elif kind == "f" and at == _FORMULA:
            self._at = _CELL
            self._formula = "=" + "".join(self._text)[:MAX_CELL]
        elif kind == "t" and at == _TEXT:
            self._at = _INLINE
            self._runs = (self._runs + "".join(self._text))[:KEPT]
        elif kind == "is" and at == _INLINE:
            self._at = _CELL
            self._inline = self._runs
        elif kind == "sheetData" and at == _DATA:
            self._at = _OUTSIDE
        else:
            if at == _ELSEWHERE and kind == "rPh":
                self._at = self._before
            self._depth.leave()

    def _bound_text(self) -> None:
        """Between two pieces: of a text that goes on and on, keep no more than is looked at."""
        if len(self._text) > 1:
            self._text[:] = ["".join(self._text)[:KEPT]]

    def _end_cell(self) -> None:
        cell = self._cell
        column = cell_column(cell.get("r"), self._digits, self._column)
        self._column = column
        kind, raw = cell.get("t"), self._value
        value: Cell
        if kind == "s" and raw is not None:
            value = self._values.shared(raw)
        else:
            if kind == "inlineStr" and self._inline is not None:
                raw = self._inline
            value = self._values.read(kind or "n", raw, cell.get("s") or "0", self._formula)
        if value is None:
            return
        if column >= MAX_COLUMNS:
            self.beyond = self.beyond or not is_empty(value)
            return
        cells = self._cells
        if column > len(cells):
            cells.extend([None] * (column - len(cells)))
        cells.append(value)

    def _end_row(self) -> None:
        cells = self._cells
        self.merges.fill(self._row, cells)
        while cells and _is_nothing(cells[-1]):
            cells.pop()
        if cells:
            self._found.append((self._row, cells))
            self.hidden_rows += self._hidden and self._row > self._after

    def _hide(self, attributes: dict[str, str]) -> None:
        first, last = attributes.get("min", ""), attributes.get("max", "")
        if first.isdigit() and last.isdigit() and len(first) < 6 and len(last) < 6:
            self.hidden_columns.update(range(int(first) - 1, min(int(last), MAX_COLUMNS)))


def _is_nothing(cell: Cell) -> bool:
    if isinstance(cell, str) and "!" <= cell[:1] <= "~":
        return False  # what nearly every text begins with; is_empty looks at each character
    return is_empty(cell)


def merged_ranges(pieces: Iterable[bytes]) -> list[Range]:
    """The merged cells of a sheet: they stand behind its rows, so this reads it all."""
    found: list[Range] = []

    def seen(name: str, attributes: Mapping[str, str]) -> None:
        if name == "mergeCell" and (merged := range_of(attributes)):
            found.append(merged)
            if len(found) > MOST_MERGED:
                raise Unfit("too_demanding")

    elements(pieces, seen)
    return found
