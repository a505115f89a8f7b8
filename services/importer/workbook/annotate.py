"""A sheet copied with a result beside each row, a frozen header, and nothing else changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from services.importer.workbook.bounds import Unfit
from services.importer.workbook.markup import Depth, Markup, names
from services.importer.workbook.places import (
    LAST_COLUMN,
    cell_column,
    column_of,
    letters_of,
    row_of,
)
from services.importer.workbook.restyle import HEADING
from services.importer.workbook.splice import Splice, prefix_of, with_attribute, without

WIDTH: Final = 60
FROZEN_UP_TO: Final = 15
"""A header further down is not frozen: it and what is above it would fill the screen."""

_KNOWN: Final = names(
    "row", "c", "v", "is", "f", "mergeCell", "sheetViews", "sheetView", "pane", "selection",
    "sheetFormatPr", "cols", "col", "sheetData", "dimension",
)  # fmt: skip
_RANGE: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?")
_MERGED: Final = re.compile(r"\$?[A-Z]{1,3}\$?\d{0,7}:\$?([A-Z]{1,3})\$?(\d{1,7})?")

_ROWS: Final = re.compile(r"\$?\d{1,7}:\$?(\d{1,7})")

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""

_READ_AS_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""Where Excel would read a character by its number (ECMA-376, 18.4.12)."""

Result = tuple[int, str, str]


@dataclass(slots=True)
class Survey:
    """What a sheet has: its last column with content from the header on, and some of its parts."""

    last: int = -1
    views: bool = False
    columns: bool = False
    split: int = 0
    """Columns that are frozen at its left."""


def survey(pieces: Iterable[bytes], header_row: int) -> Survey:
    """Look through a sheet before it is copied."""
    found = Survey()
    depth = Depth()
    row, column = 0, -1

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        depth.enter()
        match _KNOWN.get(name):
            case "row":
                row, column = row_of(attributes.get("r"), row), -1
            case "c":
                column = cell_column(attributes.get("r"), str(row), column)
            case "v" | "is" | "f" if row >= header_row:
                found.last = max(found.last, column)
            case "sheetViews":
                found.views = True
            case "cols":
                found.columns = True
            case "pane" if attributes.get("state", "").startswith("frozen"):
                split = attributes.get("xSplit", "0")
                found.split = int(split) if split.isdecimal() and len(split) < 4 else 0
            case "mergeCell":
                reference = attributes.get("ref", "")
                if (rows := _ROWS.fullmatch(reference)) and int(rows[1]) >= header_row:
                    raise Unfit("too_demanding")  # whole rows leave no column beside them
                merged = _MERGED.fullmatch(reference)
                if merged and (merged[2] is None or int(merged[2]) >= header_row):
                    found.last = max(found.last, column_of(merged[1]))

    markup = Markup(start, lambda _: depth.leave())
    for piece in pieces:
        markup.feed(piece)
    markup.close()
    if found.last + 1 >= LAST_COLUMN:
        raise Unfit("too_demanding")  # there is no column left
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What is added. `results` in the order of rows; `styles` as restyle gave them; `note` stands
    right of the title, where there is one."""

    header_row: int
    title: str
    note: str
    results: Iterator[Result]
    styles: Mapping[str, int]


class Annotating:
    """One sheet on its way through."""

    def __init__(
        self, found: Survey, annotation: Annotation, write: Callable[[bytes], object]
    ) -> None:
        self._found = found
        self._column = found.last + 1
        self._wanted = annotation
        self._next = next(annotation.results, None)
        self._depth = Depth()
        self._splice = Splice(self._start, self._end, write)
        self._row = 0
        self._last = -1
        self._text: bytes | None = None
        """The cells that this row is still to get."""
        self._until = -1
        """The last column of those."""
        self._begun = -1
        """Where an element begins that is left out or replaced."""
        self._cols: list[dict[str, str]] = []
        self._placed = False

    def run(self, pieces: Iterable[bytes]) -> None:
        self._splice.run(pieces)

    # --- tags ---------------------------------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth.enter()
        kind = _KNOWN.get(name)
        if kind == "c":
            self._start_cell(attributes)
        elif kind == "row":
            self._start_row(attributes)
        elif kind in ("sheetFormatPr", "cols", "sheetData"):
            self._before_rows(kind)
        elif kind == "dimension":
            self._dimension(attributes)
        elif kind == "sheetView" and self._freezes:
            self._view()
        elif kind in ("pane", "selection") and self._freezes:
            self._begun = self._splice.held = self._splice.position
        elif kind == "col" and self._begun >= 0:
            self._cols.append(attributes)

    def _end(self, name: str) -> None:
        self._depth.leave()
        kind = _KNOWN.get(name)
        if kind == "row" and self._text is not None:
            self._splice.put(self._text)
            self._text = None
        elif kind in ("c", "pane", "selection") and self._begun >= 0:
            self._leave_out(kind, b"")
        elif kind == "cols" and self._begun >= 0:
            self._leave_out(kind, self._columns())

    def _leave_out(self, name: str, instead: bytes) -> None:
        self._splice.replace(self._begun, self._splice.end_of(name), instead)
        self._begun = -1
        self._splice.held = None

    # --- rows ---------------------------------------------------------------------------------

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        self._row = row_of(attributes.get("r"), self._row)
        self._last = self._until = -1
        while self._next is not None and self._next[0] < self._row:
            self._next = next(self._wanted.results, None)
        if self._row == self._wanted.header_row:
            cells = [(t, HEADING) for t in (self._wanted.title, self._wanted.note) if t]
        elif self._next is not None and self._next[0] == self._row:
            _, style, text = self._next
            cells = [(text, style)]
        else:
            return
        tag = self._splice.tag()
        if tag.endswith(b"/>"):
            return
        # Which columns a row has is a hint for readers; a wrong one misleads them.
        self._splice.replace_tag(without(tag, b"spans"))
        x = prefix_of(tag).decode()
        cells = cells[: LAST_COLUMN - self._column]
        self._text = b"".join(
            self._cell(x, self._column + n, text, style) for n, (text, style) in enumerate(cells)
        )
        self._until = self._column + len(cells) - 1

    def _cell(self, x: str, column: int, text: str, style: str) -> bytes:
        where = f"{letters_of(column)}{self._row}"
        index = self._wanted.styles.get(style, 0)
        text = escape(_READ_AS_ESCAPE.sub("_x005F_", _FORBIDDEN.sub(" ", text)))
        return (
            f'<{x}c r="{where}" s="{index}" t="inlineStr"><{x}is><{x}t xml:space="preserve">{text}'
            f"</{x}t></{x}is></{x}c>"
        ).encode("utf-8", "replace")

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        if self._until < 0:
            return
        self._last = cell_column(attributes.get("r"), str(self._row), self._last)
        if self._last < self._column:
            return
        if self._text is not None:
            self._splice.put(self._text)
            self._text = None
        if self._last <= self._until:  # it has a format, and nothing in it
            self._begun = self._splice.held = self._splice.position

    # --- around the rows ----------------------------------------------------------------------

    @property
    def _freezes(self) -> bool:
        return self._wanted.header_row <= FROZEN_UP_TO

    def _before_rows(self, kind: str) -> None:
        """What the sheet lacks is put where the standard wants it: views, format, columns, rows."""
        x = prefix_of(self._splice.tag()).decode()
        if not self._found.views and not self._placed and self._freezes:
            view = f'<{x}sheetView workbookViewId="0">{self._pane(x)}</{x}sheetView>'
            self._splice.put(f"<{x}sheetViews>{view}</{x}sheetViews>".encode())
        self._placed = True
        if kind == "cols":
            self._begun = self._splice.held = self._splice.position
        elif kind == "sheetData" and not self._found.columns:
            self._splice.put(self._columns())

    def _pane(self, x: str) -> str:
        row, split = self._wanted.header_row, self._found.split
        corner = "bottomRight" if split else "bottomLeft"
        at_left = f' xSplit="{split}"' if split else ""
        return (
            f'<{x}pane{at_left} ySplit="{row}" topLeftCell="{letters_of(split)}{row + 1}"'
            f' activePane="{corner}" state="frozen"/><{x}selection pane="{corner}"/>'
        )

    def _view(self) -> None:
        tag = without(self._splice.tag(), b"topLeftCell")
        x = prefix_of(tag).decode()
        if tag.endswith(b"/>"):
            tag = tag[:-2] + f">{self._pane(x)}</{x}sheetView>".encode()
        else:
            tag += self._pane(x).encode()
        self._splice.replace_tag(tag)

    def _dimension(self, attributes: Mapping[str, str]) -> None:
        found = _RANGE.fullmatch(attributes.get("ref", ""))
        if found is None:
            return
        last, row = found[3] or found[1], found[4] or found[2]
        widest = min(self._column + bool(self._wanted.note), LAST_COLUMN - 1)
        if column_of(last) < widest:
            ref = f"{found[1]}{found[2]}:{letters_of(widest)}{row}"
            self._splice.replace_tag(with_attribute(self._splice.tag(), b"ref", ref))

    def _columns(self) -> bytes:
        """The widths of columns as they were, but for that of the result."""
        x = prefix_of(self._splice.tag()).decode()
        ours = self._column + 1
        made: list[tuple[int, str]] = []
        for attributes in self._cols:
            first, last = int(attributes["min"]), int(attributes["max"])
            for begin, end in ((first, min(last, ours - 1)), (max(first, ours + 1), last)):
                if begin <= end:
                    kept = {**attributes, "min": str(begin), "max": str(end)}
                    written = "".join(
                        f" {k}={quoteattr(v)}" for k, v in kept.items() if " " not in k
                    )
                    made.append((begin, f"<{x}col{written}/>"))
        made.append((ours, f'<{x}col min="{ours}" max="{ours}" width="{WIDTH}" customWidth="1"/>'))
        return f"<{x}cols>{''.join(one for _, one in sorted(made))}</{x}cols>".encode()
