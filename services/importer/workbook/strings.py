"""Text as a workbook stores it, and its table of shared strings, kept small."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import Final

from services.importer.workbook.bounds import Unfit
from services.importer.workbook.lines import MAX_CELL
from services.importer.workbook.markup import Depth, Markup, names

KEPT: Final = 4 * MAX_CELL
"""Characters of one text that are collected at most; it is too long before that."""

_KNOWN: Final = names("si", "t", "rPh")
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def plain(text: str) -> str:
    """A stored text as it is meant: `_x000D_` stands for the character 0x0D (ST_Xstring).

    One that is longer than a cell may be comes as its first MAX_CELL + 1 characters.
    """
    if "_x" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
        # Characters beyond U+FFFF are written as two; half a one is nothing.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text if len(text) <= MAX_CELL else text.strip()[: MAX_CELL + 1]


class SharedStrings:
    """The table, read no further than it was asked for; about as large as its text."""

    def __init__(self, pieces: Iterator[bytes] | None) -> None:
        self._pieces = pieces
        self._text = bytearray()
        self._ends = array("Q", [0])
        self._parts: list[str] = []
        self._item = ""
        self._phonetic = 0
        self._depth = Depth()
        self._markup = Markup(self._start, self._end, self._parts.append)

    def get(self, index: int) -> str:
        """Raises Unfit for a string that is not there."""
        ends = self._ends
        while index + 1 >= len(ends):
            self._go_on()
        return self._text[ends[index] : ends[index + 1]].decode()

    def finish(self) -> None:
        """Read it to its end: only there a damaged part shows by its checksum."""
        while self._pieces is not None:
            self._read()

    def _go_on(self) -> None:
        if self._pieces is None:
            raise Unfit("unreadable")
        self._read()

    def _read(self) -> None:
        assert self._pieces is not None
        piece = next(self._pieces, None)
        if piece is None:
            self._pieces = None
            self._markup.close()
        else:
            self._markup.feed(piece)
            if len(self._parts) > 1:  # of a text that goes on and on, no more than is looked at
                self._parts[:] = ["".join(self._parts)[:KEPT]]

    def _start(self, name: str, _: dict[str, str]) -> None:
        kind = _KNOWN.get(name)
        if kind == "t":
            self._parts.clear()
        elif kind == "si":
            self._item = ""
        elif kind == "rPh":
            self._phonetic += 1
        self._depth.enter()

    def _end(self, name: str) -> None:
        kind = _KNOWN.get(name)
        if kind == "t":
            if self._phonetic == 0:
                self._item = (self._item + "".join(self._parts))[:KEPT]
        elif kind == "si":
            self._text += plain(self._item).encode("utf-8", "replace")
            self._ends.append(len(self._text))
        elif kind == "rPh":
            self._phonetic -= 1
        self._depth.leave()
