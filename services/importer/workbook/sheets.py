"""The sheets of a workbook, as the reading child hands them over. Runs in the child only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from services.importer.workbook.bounds import Unfit
from services.importer.workbook.formats import formats_of
from services.importer.workbook.glance import Glance, glance, has_more_full_rows
from services.importer.workbook.merges import Merges, Range
from services.importer.workbook.package import Package, SheetPart
from services.importer.workbook.rows import Row, SheetRows, merged_ranges
from services.importer.workbook.strings import SharedStrings
from services.importer.workbook.values import Values

OUTLINE_ROWS: Final = 60
"""Rows with content of each sheet that are looked at for its header."""

OUTLINE_SEEN: Final = 20_000
"""Rows of each sheet, most of them empty, after which nobody looks for its header any more."""

OUTLINE_SHEETS: Final = 50

MAX_CELLS: Final = 5_000_000
"""Cells of one sheet, with content or without: 200,000 rows of 25 columns, 100,000 of 50."""


class Sheets:
    """An opened workbook, streaming: formulas by their stored value.

    `currency`: the one in which amounts are expected; others are Odd, of kind money. None: an
    amount in any is the number that it is.
    """

    def __init__(
        self, path: str, sign: Callable[[], None] = lambda: None, *, currency: str | None = None
    ) -> None:
        self.package = package = Package(path, sign)
        shared = package.related("sharedStrings")
        styles = package.related("styles")
        self._strings = SharedStrings(package.pieces(shared) if shared else None)
        self._values = Values(
            string=self._strings.get,
            formats=formats_of(package.pieces(styles), currency) if styles else (),
            dates_from_1904=package.dates_from_1904,
            never_computed=package.never_computed,
        )
        self._glances: dict[str, Glance] = {}
        self._merged: dict[str, list[Range]] = {}

    def outlines(self, wanted: str | None = None) -> Iterator[dict[str, Any]]:
        """The first rows with content of every sheet: name, hidden, rows, hidden_columns.

        Of a workbook of very many sheets: of the one that is wanted, and of those that are seen.
        """
        named = (wanted or "").casefold()
        sheets = sorted(self.package.sheets, key=lambda s: (s.name.casefold() != named, s.hidden))
        for sheet in sheets[:OUTLINE_SHEETS]:
            found = self._read(sheet)
            rows: list[Row] = []
            for row in found.read(self._pieces(sheet)):
                rows.append(row)
                if len(rows) >= OUTLINE_ROWS or found.seen > OUTLINE_SEEN:
                    break
            yield {
                "name": sheet.name,
                "hidden": sheet.hidden,
                "rows": rows,
                "hidden_columns": sorted(found.hidden_columns),
            }

    def rows(self, name: str, *, after: int, at_most: int) -> Iterator[Row]:
        """The rows with content below row `after` of one sheet; `noticed` is right at its end.

        Raises Unfit where there are more than `at_most`, at once where a glance tells.
        """
        sheet = next(s for s in self.package.sheets if s.name == name)
        if self._glance(sheet).rows > at_most + after and has_more_full_rows(
            self._pieces(sheet), at_most + after
        ):
            raise Unfit("too_many_rows")
        self._rows = found = self._read(sheet, after)
        count = 0
        for number, cells in found.read(self._pieces(sheet)):
            if number > after:
                count += 1
                if count > at_most:
                    raise Unfit("too_many_rows")
                yield number, cells
        self._strings.finish()

    def noticed(self) -> dict[str, Any]:
        """What a person should know of the sheet that was read."""
        rows = self._rows
        return {
            "hidden_rows": rows.hidden_rows,
            "merged": rows.merges.filled,
            "beyond": rows.beyond,
        }

    def _pieces(self, sheet: SheetPart) -> Iterator[bytes]:
        return self.package.pieces(sheet.part)

    def _glance(self, sheet: SheetPart) -> Glance:
        if sheet.part not in self._glances:
            self._glances[sheet.part] = seen = glance(self._pieces(sheet), MAX_CELLS)
            if seen.cells > MAX_CELLS:
                raise Unfit("too_demanding")
        return self._glances[sheet.part]

    def _read(self, sheet: SheetPart, after: int = 0) -> SheetRows:
        if sheet.part not in self._merged:
            merged = self._glance(sheet).merged
            self._merged[sheet.part] = merged_ranges(self._pieces(sheet)) if merged else []
        return SheetRows(self._values, Merges(self._merged[sheet.part]), after=after)
